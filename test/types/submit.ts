/** Calls of plain functions: what must compile, with the type it must have, and what must not. */
import { celery } from './celery.ts'
import { add, find, greet, sum, touch, type User } from './functions.ts'
import { is } from './is.ts'
import { type Future, type FuturePool, kw, type Submitted } from '../../src/index.ts'

// The result follows the function; an async one is waited for.
is<Submitted<number>>()(celery.submit(add, 1, 2))
is<Submitted<User | undefined>>()(celery.submit(find, 'id'))
is<Submitted<void>>()(celery.submit(touch))
is<Future<number>>()(await celery.submit(add, 1, 2))
is<number>()(await celery.submit(add, 1, 2).result())
is<number>()(await (await celery.submit(add, 1, 2)).result({ timeout: '500ms' }))
is<User | undefined>()(await celery.submit(find, 'id').result())
is<string>()(celery.submit(add, 1, 2).id)

// @ts-expect-error -- wrong type of an argument
void celery.submit(add, 1, '2')
// @ts-expect-error -- missing argument
void celery.submit(add, 1)
// @ts-expect-error -- one argument too many
void celery.submit(add, 1, 2, 3)
// @ts-expect-error -- an argument for a function without parameters
void celery.submit(touch, 1)
// @ts-expect-error -- not a function
void celery.submit('add', 1, 2)
// @ts-expect-error -- wrong use of the result
;(await celery.submit(add, 1, 2).result()).toUpperCase()
// @ts-expect-error -- a result that may be missing
is<string>()((await celery.submit(find, 'id').result()).name)
// @ts-expect-error -- a future is no value
is<number>()((await celery.submit(add, 1, 2)) + 1)
// @ts-expect-error -- waiting for the broker does not wait for the result
is<number>()(await celery.submit(add, 1, 2))

// Optional parameters may be left out, and rest parameters repeated.
void celery.submit(greet, 'Ada')
void celery.submit(greet, 'Ada', 'Hello')
void celery.submit(sum)
void celery.submit(sum, 1, 2, 3)
// @ts-expect-error -- wrong type of an optional argument
void celery.submit(greet, 'Ada', 5)
// @ts-expect-error -- wrong type among the rest
void celery.submit(sum, 1, 'two')

// Keywords stand for the parameters after those given by position.
void celery.submit(add, 1, kw({ b: 2 }))
void celery.submit(add, kw({ a: 1, b: 2 }))
void celery.submit(greet, kw({ name: 'Ada' }))
// @ts-expect-error -- keywords come last
void celery.submit(add, kw({ a: 1 }), 2)
// @ts-expect-error -- keywords have names
kw([1, 2])
// @ts-expect-error -- a plain object is a value, not keywords
void celery.submit(add, 1, { b: 2 })

// Lists of arguments have the function's types, one by one or from an iterable.
is<Promise<FuturePool<number>>>()(celery.map(add, [1, 2], [3, 4]))
is<Promise<FuturePool<number>>>()(celery.map(add, [1], [3], kw({ b: 2 })))
is<Promise<FuturePool<number>>>()(celery.map(add, new Set<[number, number]>([[1, 2]])))
is<Promise<FuturePool<number>>>()(celery.map(add, pairs()))
is<Promise<FuturePool<void>>>()(celery.map(touch, [], []))
// @ts-expect-error -- wrong type in one of the lists
void celery.map(add, [1, 2], [3, '4'])
// @ts-expect-error -- a list that is too long
void celery.map(add, [1, 2, 3])
// @ts-expect-error -- arguments that are in no list
void celery.map(add, 1, 2)
// @ts-expect-error -- an iterable of something else
void celery.map(add, new Set(['a', 'b']))
// @ts-expect-error -- one result for each call
is<number>()(await (await celery.map(add, [1, 2])).result())

// Options come beside the arguments.
is<Submitted<number>>()(celery.with({ queue: 'high', countdown: '5m', priority: 9 }).submit(add, 1, 2))
is<Promise<FuturePool<number>>>()(celery.with({ expires: 60 }).map(add, [1, 2]))
is<Submitted<number>>()(celery.apply(add, { args: [1, 2], queue: 'high' }))
is<Submitted<number>>()(celery.apply(add, { args: [1], kwargs: { b: 2 } }))
is<Submitted<void>>()(celery.apply(touch))
// @ts-expect-error -- wrong type of an argument
void celery.with({ queue: 'high' }).submit(add, 1, '2')
// @ts-expect-error -- missing argument
void celery.with({ queue: 'high' }).submit(add, 1)
// @ts-expect-error -- one argument too many
void celery.with({ queue: 'high' }).submit(add, 1, 2, 3)
// @ts-expect-error -- wrong use of the result
;(await celery.with({ queue: 'high' }).submit(add, 1, 2).result()).toUpperCase()
// @ts-expect-error -- an unknown option
celery.with({ quue: 'high' })
// @ts-expect-error -- wrong type of an argument
void celery.apply(add, { args: [1, '2'] })
// @ts-expect-error -- missing argument
void celery.apply(add, { args: [1] })
// @ts-expect-error -- one argument too many
void celery.apply(add, { args: [1, 2, 3] })
// @ts-expect-error -- an unknown option
void celery.apply(add, { args: [1, 2], quue: 'high' })
// @ts-expect-error -- wrong use of the result
;(await celery.apply(add, { args: [1, 2] }).result()).toUpperCase()

// By name alone nothing is known, unless the caller says so.
is<Submitted<unknown>>()(celery.sendTask('proj.add', [1, 2]))
is<Submitted<number>>()(celery.sendTask<number>('proj.add', [1], { y: 2 }, { queue: 'python' }))

async function* pairs(): AsyncGenerator<[number, number]> {
  yield [1, 2]
}

/** Registered tasks: every spelling keeps the types of its function. */
import { celery } from './celery.ts'
import { add, find, greet, touch, type User } from './functions.ts'
import { is } from './is.ts'
import { type CurrentTask, kw, type Submitted, type Task } from '../../src/index.ts'

type AddTask = Task<[a: number, b: number], number>

const plain = celery.task(add)
const withOptions = celery.task({ name: 'proj.add', queue: 'high', acksLate: false }, add)
const curried = celery.task({ name: 'proj.add' })(add)
const decorated = celery.task()(add, {} as ClassMethodDecoratorContext)
const decoratedBare = celery.task(add, {} as ClassMethodDecoratorContext)
const promising = celery.task(find)
is<AddTask>()(plain)
is<AddTask>()(withOptions)
is<AddTask>()(curried)
is<AddTask>()(decorated)
is<AddTask>()(decoratedBare)
is<Task<[id: string], Promise<User | undefined>>>()(promising)

// Called, it is the function itself.
is<number>()(plain(1, 2))
is<string>()(plain.name)
is<(a: number, b: number) => number>()(plain.run)
// @ts-expect-error -- wrong type of an argument
plain(1, '2')

is<Submitted<number>>()(plain.delay(1, 2))
is<Submitted<number>>()(plain.delay(1, kw({ b: 2 })))
is<Submitted<User | undefined>>()(celery.task(find).delay('id'))
is<Submitted<void>>()(celery.task(touch).delay())
void celery.task(greet).delay('Ada')
// @ts-expect-error -- wrong type of an argument
void plain.delay(1, '2')
// @ts-expect-error -- missing argument
void plain.delay(1)
// @ts-expect-error -- one argument too many
void plain.delay(1, 2, 3)
// @ts-expect-error -- an argument for a function without parameters
void celery.task(touch).delay(1)
// @ts-expect-error -- wrong use of the result
;(await plain.delay(1, 2).result()).toUpperCase()

is<Submitted<number>>()(plain.applyAsync([1, 2], {}, { countdown: 10, queue: 'high' }))
is<Submitted<number>>()(plain.applyAsync([1], { b: 2 }))
is<Submitted<number>>()(plain.applyAsync([], { a: 1, b: 2 }))
// @ts-expect-error -- wrong type of an argument
void plain.applyAsync([1, '2'])
// @ts-expect-error -- missing argument
void plain.applyAsync([1])
// @ts-expect-error -- missing arguments
void plain.applyAsync()
// @ts-expect-error -- one argument too many
void plain.applyAsync([1, 2, 3])
void celery.task(touch).applyAsync()
void celery.task(touch).applyAsync([], {}, { queue: 'high' })
// @ts-expect-error -- arguments come in an array
void plain.applyAsync(1, 2)
// @ts-expect-error -- an unknown option
void plain.applyAsync([1, 2], {}, { quue: 'high' })
// @ts-expect-error -- wrong use of the result
;(await plain.applyAsync([1, 2]).result()).toUpperCase()

// A task is submitted like a function.
is<Submitted<number>>()(celery.submit(plain, 1, 2))
// @ts-expect-error -- wrong type of an argument
void celery.submit(plain, 1, '2')
// @ts-expect-error -- wrong type in one of the lists
void celery.map(plain, [1, '2'])

// The current task is no argument of a bound one.
const bound = celery.task({ bind: true }, (self, factor: number) => self.retries * factor)
is<Task<[factor: number], number>>()(bound)
is<Submitted<number>>()(bound.delay(2))
const boundLater = celery.task({ bind: true })((self: CurrentTask, factor: number) => self.id.repeat(factor))
is<Task<[factor: number], string>>()(boundLater)
// @ts-expect-error -- wrong type of an argument
void bound.delay('2')
// @ts-expect-error -- the current task is given by the worker
void bound.delay({} as CurrentTask, 2)

// @ts-expect-error -- options come first
celery.task(add, { name: 'proj.add' })
// @ts-expect-error -- an unknown option
celery.task({ nam: 'proj.add' }, add)
// @ts-expect-error -- not a function
celery.task('add')

is<Task>()(celery.task['proj.add'] as Task)

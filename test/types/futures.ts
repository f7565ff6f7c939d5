/** Futures and pools of them share one set of methods, each with its own types. */
import { celery } from './celery.ts'
import { add, find, type User } from './functions.ts'
import { is } from './is.ts'
import type { Celery, Config, Future, FutureLike, FuturePool, Progress, State, Submitted } from '../../src/index.ts'

const future = await celery.submit(add, 1, 2)
is<number>()(await future.get())
is<number | Error>()(await future.get({ propagate: false }))
is<Error | undefined>()(await future.exception())
is<State>()(await future.state())
is<boolean>()(await future.cancel({ terminate: false }))
for await (const progress of future.progress()) is<Progress>()(progress)
is<typeof future>()(future.addDoneCallback((done) => is<typeof future>()(done)))
// @ts-expect-error -- a duration, not a date
await future.result({ timeout: new Date() })
// @ts-expect-error -- an unknown option
await future.cancel({ force: true })

const pool = await celery.map(find, ['a'], ['b'])
is<(User | undefined)[]>()(await pool.result())
is<(Error | undefined)[]>()(await pool.exception())
is<PromiseSettledResult<User | undefined>[]>()(await pool.settled())
is<(User | undefined | Error)[]>()(await pool.get({ propagate: false }))
for (const each of pool) is<Future<User | undefined>>()(each)
for await (const each of pool.asCompleted()) is<Future<User | undefined>>()(each)
is<number>()(pool.length)
is<Future<User | undefined> | undefined>()(pool.at(-1))
// @ts-expect-error -- a future of something else
pool.add(future)

const like: FutureLike<number> = future
const poolLike: FutureLike<(User | undefined)[]> = pool
export const both: readonly [FutureLike<number>, FutureLike<(User | undefined)[]>] = [like, poolLike]

is<Future<unknown>>()(celery.get('id'))
is<Future<number>>()(celery.get<number>('id'))
is<FuturePool<number>>()(celery.getPool<number>('id'))

const submitted: Promise<Future<number>> = celery.submit(add, 1, 2)
export const plain: Promise<Future<number>> = submitted
// @ts-expect-error -- what `then` makes of it is a plain promise
const chained: Submitted<number> = celery.submit(add, 1, 2).then((each) => each)
export { chained }

is<Config>()(celery.conf)
is<Promise<Record<string, 'OK'>>>()(celery.status())
export function open(Application: typeof Celery): Celery[] {
  // @ts-expect-error -- an unknown option
  const misspelt = new Application({ brokerURL: 'sqlite:' })
  return [new Application(), new Application('name'), new Application({ brokerUrl: 'sqlite:' }), new Application({ inject: () => {} }), misspelt]
}

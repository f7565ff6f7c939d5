import { PushIterator } from './push-iterator.ts'
import type { ResultSource } from './source.ts'
import { startWait, type WaitOptions } from './wait.ts'
import { isReady, type Waitable } from './waitable.ts'

/** Iterates over tasks as they end. Waits for none before the first `next`; breaking ends every wait. */
export function asCompleted<F extends Waitable>(
  source: ResultSource,
  members: () => Promise<readonly F[]>,
  options: WaitOptions,
  timeoutError: (tasks: readonly F[]) => Promise<Error>,
): AsyncIterableIterator<F, undefined, undefined> {
  return new PushIterator<F>((sink) => {
    let stop = (): void => {}
    let stopped = false
    const fail = (error: unknown): void => sink.fail(error)

    const begin = (tasks: readonly F[]): void => {
      if (stopped) return
      let left = tasks.length
      if (left === 0) return sink.end()
      stop = startWait(source, tasks, options, {
        seen: (index, record) => {
          const task = tasks[index]
          if (!task || !isReady(record)) return
          sink.put(task)
          left--
          if (left > 0) return
          stop()
          sink.end()
        },
        failed: fail,
        late: () => void timeoutError(tasks).then(fail),
      })
    }

    members().then(begin).catch(fail)
    return () => {
      stopped = true
      stop()
    }
  })
}

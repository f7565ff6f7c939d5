import type { Progress } from './future-like.ts'
import { infoOf } from './outcome.ts'
import { PushIterator } from './push-iterator.ts'
import type { ResultSource } from './source.ts'
import { startWait, type WaitOptions } from './wait.ts'
import { isReady, type Waitable } from './waitable.ts'

/**
 * Iterates over the states that a task goes through until it is ready, the current one first.
 *
 * A slow consumer gets the latest state and misses those before it. Nothing stored is no state.
 */
export function progressOf(
  source: ResultSource,
  task: Waitable,
  options: WaitOptions,
  timeoutError: () => Promise<Error>,
): AsyncIterableIterator<Progress, undefined, undefined> {
  return new PushIterator<Progress>((sink) =>
    startWait(source, [task], options, {
      seen: (_index, record) => {
        if (isReady(record)) return sink.end()
        if (!record) return
        try {
          sink.put({ state: record.status, info: infoOf(source, record) }, { replace: true })
        } catch (error) {
          sink.fail(error)
        }
      },
      failed: (error) => sink.fail(error),
      late: () => void timeoutError().then((error) => sink.fail(error)),
    }),
  )
}

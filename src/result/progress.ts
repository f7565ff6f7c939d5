import type { StoredResult } from '../backend.ts'
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
  return new PushIterator<Progress>((sink) => {
    // What was reported may have to be imported; whatever comes after it waits, so that the order stays.
    let before: Promise<void> | undefined
    const show = (record: StoredResult, info: unknown): void => {
      if (isReady(record)) sink.end()
      else sink.put({ state: record.status, info }, { replace: true })
    }
    const see = (record: StoredResult): void => {
      const info = isReady(record) ? undefined : infoOf(source, record)
      if (before === undefined && !(info instanceof Promise)) return show(record, info)
      before = Promise.all([info, before]).then(([known]) => show(record, known))
      before.catch((error: unknown) => sink.fail(error))
    }
    return startWait(source, [task], options, {
      seen: (_index, record) => {
        if (!record) return
        try {
          see(record)
        } catch (error) {
          sink.fail(error)
        }
      },
      failed: (error) => sink.fail(error),
      late: () => void timeoutError().then((error) => sink.fail(error)),
    })
  })
}

import { Backoff } from '../internal/backoff.ts'
import type { Clock } from '../internal/clock.ts'
import type { Logger } from '../internal/logger.ts'

/** What {@link insist} goes by. */
export interface InsistOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** Aborted when it is to give up. */
  readonly stopping: AbortSignal
}

/**
 * Writes to a store until it takes it: an outcome must not be lost because a disk was full for a minute.
 *
 * Says so once when it fails and once when it is back. When the worker stops it gives up and rejects with
 * the store's error, so that nothing that comes after it is done: above all no acknowledgement.
 */
export async function insist(what: string, write: () => Promise<unknown>, options: InsistOptions): Promise<void> {
  let backoff: Backoff | undefined
  for (let failures = 0; ; failures++) {
    try {
      await write()
      if (failures > 0) options.logger.info({}, `Could ${what} after ${failures} failed tries`)
      return
    } catch (error) {
      if (failures === 0) options.logger.error({ err: error }, `Could not ${what}, trying again: ${String(error)}`)
      if (!options.stopping.aborted) await delay((backoff ??= new Backoff(200, 2_000)).next(), options)
      if (options.stopping.aborted) throw error
    }
  }
}

/** Ends early when the worker stops. */
function delay(ms: number, { clock, stopping }: InsistOptions): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel()
      stopping.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.after(ms, end, { keepAlive: true })
    stopping.addEventListener('abort', end)
  })
}

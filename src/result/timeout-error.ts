import type { Duration } from '../config/duration.ts'
import { TimeoutError } from '../errors.ts'
import type { ResultSource } from './source.ts'

/**
 * Makes the error of a wait that ran out: what is missing, after how long, and why the task of `id` still waits.
 *
 * Never rejects: an application that cannot say why says so.
 */
export async function timeoutError(
  source: ResultSource,
  id: string,
  queue: string | undefined,
  timeout: Duration | undefined,
  missing: string,
): Promise<TimeoutError> {
  const limit = typeof timeout === 'number' ? `${timeout} s` : timeout
  const reason = await source.explain(id, queue).catch((error: unknown) => `why is not known (${String(error)})`)
  return new TimeoutError(`${missing} after ${limit} and was not cancelled: ${reason}`)
}

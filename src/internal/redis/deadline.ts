import { Fault } from './faults.ts'

/** Until when something may go on. */
export interface Deadline {
  readonly timeoutMs: number
  /** Whether waiting for it keeps the process alive. */
  readonly keepAlive: boolean
  /** Ends it before. */
  readonly signal?: AbortSignal
}

/**
 * Settles as `promise` does, or rejects at the deadline, or when the signal aborts. The time is the machine's:
 * no clock that somebody moves makes a network faster.
 */
export async function before<T>(promise: Promise<T>, { timeoutMs, keepAlive, signal }: Deadline, advice = 'Look at the server and the network.'): Promise<T> {
  const late = Promise.withResolvers<never>()
  const tooLate = (): void => late.reject(new Fault(`cannot be reached: it did not answer within ${Math.ceil(timeoutMs / 100) / 10} s. ${advice}`))
  const abort = (): void => late.reject(new Fault('was closed while it was being connected.', { isFinal: true }))
  const timer = setTimeout(tooLate, timeoutMs)
  if (!keepAlive) timer.unref()
  signal?.addEventListener('abort', abort)
  try {
    if (signal?.aborted) abort()
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

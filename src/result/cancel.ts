import type { StoredResult } from '../backend.ts'
import { toMs } from '../config/duration.ts'
import { TaskRevokedError } from '../errors.ts'
import { encodeException } from '../protocol/exception.ts'
import { encodeResultMeta } from '../protocol/result.ts'
import type { CancelOptions } from './future-like.ts'
import type { RevokeRequest, ResultSource } from './source.ts'
import { refresh, waitForOne } from './wait.ts'
import { isReady, latestOf, remember, Waitable } from './waitable.ts'

/** States in which a task has not begun, or waits to begin again. */
const NOT_RUNNING = ['PENDING', 'RETRY', 'RECEIVED'] as const

/**
 * Cancels a task; resolves to whether it is revoked.
 *
 * A task that does not run is revoked in the store, in one step with the check that it does not, so a worker
 * that gets it later finds it revoked. One that runs is ended by its worker, if `terminate` allows.
 */
export async function cancelTask(source: ResultSource, task: Waitable, options: CancelOptions): Promise<boolean> {
  const { terminate = true, wait = true, timeout = 1, signal } = options
  toMs(timeout, 'timeout')
  if (isReady(latestOf(task))) return isRevoked(task)

  await source.connected()
  const record = revokedRecord(source, task.id)
  const stored = await source.backend.store(record, { onlyOver: NOT_RUNNING })
  if (stored) remember(task, record)
  else {
    await refresh(source, [task])
    if (isReady(latestOf(task)) || !terminate) return isRevoked(task)
  }

  await source.revoke(task.id, revokeRequest(terminate, signal))
  if (stored) return true
  if (wait) await untilReady(source, task, timeout)
  else await refresh(source, [task])
  return isRevoked(task)
}

/** What to send to the workers. */
export function revokeRequest(terminate: boolean, signal: string | undefined): RevokeRequest {
  return signal === undefined ? { terminate } : { terminate, signal }
}

function revokedRecord(source: ResultSource, taskId: string): StoredResult {
  const text = encodeResultMeta({
    taskId,
    status: 'REVOKED',
    resultText: encodeException(new TaskRevokedError('revoked')).text,
    traceback: null,
    dateDoneMs: source.clock.now(),
  })
  return { taskId, status: 'REVOKED', text, expiresAtMs: source.expiresAtMs() }
}

async function untilReady(source: ResultSource, task: Waitable, timeout: NonNullable<CancelOptions['timeout']>): Promise<void> {
  const late = new Error('late')
  // A cancellation is stored also where results are not, and the task's own future would refuse to wait then.
  const watched = new Waitable(task.id)
  await waitForOne(source, watched, { timeout }, () => Promise.resolve(late)).catch((error: unknown) => {
    if (error !== late) throw error
  })
  remember(task, latestOf(watched))
}

function isRevoked(task: Waitable): boolean {
  return latestOf(task)?.status === 'REVOKED'
}

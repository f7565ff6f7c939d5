import type { ResultBackend } from '../backend.ts'
import type { Config } from '../config/config.ts'
import { DecodeError } from '../errors.ts'
import type { Clock } from '../internal/clock.ts'
import { encodeException } from '../protocol/exception.ts'
import type { Message } from '../protocol/message.ts'
import { encodeResultMeta } from '../protocol/result.ts'

/** What storing it needs of the worker. */
export interface UnreadableContext {
  readonly backend: ResultBackend
  readonly conf: Config
  readonly clock: Clock
  insist(what: string, write: () => Promise<unknown>): Promise<void>
}

/**
 * Has the task of a message that cannot be read fail, if at least its id can be: nobody shall wait for it
 * for ever.
 */
export async function storeUnreadable({ headers }: Message, detail: string, context: UnreadableContext): Promise<void> {
  const { backend, clock, conf } = context
  const taskId = headers['id']
  if (typeof taskId !== 'string' || (headers['ignore_result'] ?? conf.taskIgnoreResult) === true) return
  const resultText = encodeException(new DecodeError(detail), { maxLength: conf.taskErrorMaxLength }).text
  const now = clock.now()
  const text = encodeResultMeta({ taskId, status: 'FAILURE', resultText, traceback: null, dateDoneMs: now })
  const expiresAtMs = conf.resultExpires > 0 ? now + conf.resultExpires * 1000 : undefined
  await context.insist('store a result', () => backend.store({ taskId, status: 'FAILURE', text, expiresAtMs }))
}

import type { App } from '../app.ts'
import type { ResultBackend } from '../backend.ts'
import type { Publication } from '../broker.ts'
import type { Codec } from '../codec.ts'
import { DecodeError, NotRegistered, SecurityError } from '../errors.ts'
import { systemClock } from '../internal/clock.ts'
import { Stopper } from '../internal/stopper.ts'
import type { Consequences, Outcome } from '../pool.ts'
import { decodeException, encodeException, errorFromWire } from '../protocol/exception.ts'
import { parseJson } from '../protocol/json.ts'
import { readTaskMessage, type TaskRequest } from '../protocol/task-request.ts'
import { encodeResultMeta } from '../protocol/result.ts'
import type { State } from '../states.ts'
import type { Runnable } from '../submitter.ts'
import { execute } from './execute.ts'
import { handlerOf } from './handlers.ts'
import { retryMessage } from './retry.ts'

/**
 * Runs a message where it was made, in place of sending it, and stores its outcome as a worker would.
 *
 * Arguments and result still cross the wire format, so that what would not survive it fails here too.
 * With `taskEagerPropagates` it rejects with the task's error.
 */
export async function runEagerly(app: App, codec: Codec, backend: ResultBackend, publication: Publication, run: Runnable | undefined): Promise<void> {
  const { conf } = app
  const request = readTaskMessage(publication.message)
  const store = (status: State, resultText: string | undefined, traceback: string | null): Promise<boolean> =>
    backend.store({ taskId: request.id, status, text: metaText(request, status, resultText, traceback), expiresAtMs: undefined })
  const { message: called, queue } = publication
  const outcome = await execute({ id: request.id, message: called, queue, redelivered: false }, new Stopper(), {
    codec,
    conf,
    clock: systemClock,
    origin: called.headers['origin'] as string,
    replyTo: request.replyTo ?? '',
    isOurs: (name) => app.registry.find(name) !== undefined,
    find: async () => handlerOf(run ?? app.registry.get(request.task)),
    hostname: called.headers['origin'] as string,
    isEager: true,
    onState: (_id, state, text) => void store(state, text, null),
  })
  const runFollowUps = async ({ followUps = [] }: Consequences): Promise<void> => {
    for (const followUp of followUps) await runEagerly(app, codec, backend, followUp, undefined)
  }
  if (outcome.kind === 'retry') {
    await store('RETRY', outcome.exceptionText ?? 'null', outcome.traceback ?? null)
    const message = retryMessage(called, request, outcome, { codec, origin: String(called.headers['origin']), queue, nowMs: Date.now() })
    return runEagerly(app, codec, backend, { ...publication, message }, run)
  }
  if (outcome.kind === 'succeeded') {
    if (!request.ignoreResult) await store('SUCCESS', outcome.resultText, null)
    return runFollowUps(outcome)
  }
  const exceptionText = failureText(request, outcome, conf.taskErrorMaxLength)
  await store('FAILURE', exceptionText, outcome.kind === 'failed' ? outcome.traceback : null)
  if (outcome.kind === 'failed') await runFollowUps(outcome)
  if (conf.taskEagerPropagates) throw errorFromWire(decodeException(parseJson(exceptionText)))
}

function failureText(request: TaskRequest, outcome: Exclude<Outcome, { kind: 'succeeded' | 'retry' }>, maxLength: number): string {
  if (outcome.kind === 'failed') return outcome.exceptionText
  const detail = 'detail' in outcome ? outcome.detail : outcome.kind
  return encodeException(errorOf(request, outcome.kind, detail), { maxLength }).text
}

function errorOf(request: TaskRequest, kind: Outcome['kind'], detail: string): Error {
  if (kind === 'unknown-task') return new NotRegistered(detail, request.task)
  return kind === 'refused' ? new SecurityError(detail, kind) : new DecodeError(detail)
}

function metaText(request: TaskRequest, status: State, resultText: string | undefined, traceback: string | null): string {
  return encodeResultMeta({
    taskId: request.id,
    status,
    resultText,
    traceback,
    dateDoneMs: Date.now(),
    groupId: request.groupId,
    parentId: request.parentId,
  })
}

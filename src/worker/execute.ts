import { type CurrentTask, runAsCurrentTask } from '../current.ts'
import { ContentDisallowed, DecodeError, NotRegistered } from '../errors.ts'
import type { Stopper } from '../internal/stopper.ts'
import type { Execution, Outcome } from '../pool.ts'
import { decodeBody, type TaskBody } from '../protocol/body.ts'
import { encodeException } from '../protocol/exception.ts'
import { stringifyJson } from '../protocol/json.ts'
import { readTaskMessage, type TaskEnvelope, type TaskRequest } from '../protocol/task-request.ts'
import type { Handler } from './handlers.ts'

/** What running tasks needs of the process that it happens in. */
export interface ExecuteContext {
  /** Finds what to run. @throws {@link NotRegistered} when nothing is known by that name. */
  readonly find: (request: TaskRequest) => Promise<Handler>
  /** Content types of bodies that may be decoded. */
  readonly accept: readonly string[]
  /** The most bytes that a body may have once decompressed. */
  readonly maxMessageSize: number
  /** The most characters of an error's text that are kept. */
  readonly errorMaxLength: number
  /** Node name of the worker. */
  readonly hostname: string
  readonly isEager: boolean
  readonly onState: (id: string, state: string, resultText: string) => void
}

/**
 * Runs one task and says how it ended. Never rejects.
 *
 * Decode, find, bind, call, encode: whatever fails on the way becomes the outcome that it deserves.
 */
export async function execute(execution: Execution, stopper: Stopper, context: ExecuteContext): Promise<Outcome> {
  let request: TaskRequest
  let body: TaskBody
  try {
    request = readTaskMessage(asEnvelope(execution))
    body = decodeBody(asEnvelope(execution), { accept: context.accept, maxSize: context.maxMessageSize })
  } catch (error) {
    if (error instanceof DecodeError || error instanceof ContentDisallowed) return { kind: 'malformed', detail: error.message }
    return failed(error, context.errorMaxLength)
  }
  let handler: Handler
  try {
    handler = await context.find(request)
  } catch (error) {
    return error instanceof NotRegistered ? { kind: 'unknown-task', detail: error.message } : failed(error, context.errorMaxLength)
  }
  try {
    const args = handler.bind(body.args, body.kwargs)
    const task = describeTask(execution, request, body, stopper, context)
    const result: unknown = await runAsCurrentTask(task, () => handler.run(...args))
    return { kind: 'succeeded', resultText: stringifyJson(result, 'result') }
  } catch (error) {
    return failed(error, context.errorMaxLength)
  }
}

/** The outcome of a task that threw `error`, of whose texts `maxLength` characters are kept. */
export function failed(error: unknown, maxLength: number | undefined): Outcome {
  const encoded = encodeException(error, { maxLength })
  return { kind: 'failed', exceptionText: encoded.text, traceback: encoded.traceback, summary: encoded.summary }
}

function describeTask(execution: Execution, request: TaskRequest, body: TaskBody, stopper: Stopper, context: ExecuteContext): CurrentTask {
  return {
    id: request.id,
    name: request.task,
    args: body.args,
    kwargs: body.kwargs,
    retries: request.retries,
    eta: request.etaMs === undefined ? undefined : new Date(request.etaMs),
    expires: request.expiresMs === undefined ? undefined : new Date(request.expiresMs),
    rootId: request.rootId,
    parentId: request.parentId,
    groupId: request.groupId,
    hostname: context.hostname,
    deliveryInfo: { routingKey: execution.queue, redelivered: execution.redelivered },
    headers: request.headers,
    isEager: context.isEager,
    get signal() {
      return stopper.signal
    },
    updateState: ({ state, meta }) => context.onState(request.id, state, stringifyJson(meta ?? null, 'meta')),
    progress: (meta) => context.onState(request.id, 'PROGRESS', stringifyJson(meta ?? null, 'meta')),
  }
}

function asEnvelope(execution: Execution): TaskEnvelope {
  return { body: execution.body, contentType: execution.contentType, headers: execution.headers, properties: {} }
}

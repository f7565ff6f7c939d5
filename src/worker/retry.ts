import type { Codec, DecodedCall } from '../codec.ts'
import type { Config } from '../config/config.ts'
import { toMs } from '../config/duration.ts'
import type { RetryOptions } from '../current.ts'
import { InvalidTaskError, MaxRetriesExceededError, Retry } from '../errors.ts'
import type { Outcome, RetryContent } from '../pool.ts'
import { JSON_CONTENT_TYPE, joinBody } from '../protocol/body.ts'
import { encodeException } from '../protocol/exception.ts'
import { stringifyJson } from '../protocol/json.ts'
import { buildTaskMessage, type Message } from '../protocol/message.ts'
import { readProperty } from '../protocol/read-property.ts'
import { argsRepr, kwargsRepr } from '../protocol/repr.ts'
import type { TaskRequest } from '../protocol/task-request.ts'
import { serializerName } from '../protocol/serializers/open.ts'
import { formatTime } from '../protocol/time.ts'
import { SIGNATURE_HEADER } from '../signing/key-ring.ts'

/** Celery's defaults. */
const MAX_RETRIES = 3
const DEFAULT_DELAY_S = 180

/**
 * Ends a run by an error that says when the next one is due, or by the one that it failed with when there is no next one.
 * @see Celery `celery/app/task.py`, `Task.retry`
 */
export function askForRetry(request: TaskRequest, options: RetryOptions, nowMs: number): never {
  const { args, countdown = DEFAULT_DELAY_S, eta, exc, kwargs, maxRetries = MAX_RETRIES } = options
  if (maxRetries !== null && request.retries >= maxRetries) {
    // oxlint-disable-next-line typescript/only-throw-error -- it is what the task caught, whatever that is
    if (exc !== undefined) throw exc
    throw new MaxRetriesExceededError(`Cannot retry ${request.task}[${request.id}] once more: it was retried ${request.retries} times already.`)
  }
  const etaMs = eta === undefined ? nowMs + toMs(countdown, 'countdown') : eta.getTime()
  throw new Retry(`Retry in ${(etaMs - nowMs) / 1000} s`, { etaMs, exc, args, kwargs })
}

/** Whether a task asks to be retried, also by another copy of this package. What is thrown may refuse to be looked at. */
export function isRetry(error: unknown): error is Retry {
  if (typeof error !== 'object' || error === null) return false
  return readProperty(error, 'code') === 'ERR_CELERIAC_RETRY' && typeof readProperty(error, 'etaMs') === 'number'
}

/** What the worker is told of it. @throws {@link EncodeError} when its new arguments cannot travel. */
export function retryOutcome({ args, etaMs, exc, kwargs }: Retry, request: TaskRequest, call: DecodedCall, { codec, conf, contentType, isSigned }: { codec: Codec; conf: Config; contentType: string; isSigned: boolean }): Outcome {
  const content = args === undefined && kwargs === undefined && request.protocol === 2 ? undefined : contentOf(args ?? call.args, kwargs ?? call.kwargs, call, { codec, isSigned, contentType })
  const failure = exc === undefined ? undefined : encodeException(exc, { maxLength: conf.taskErrorMaxLength })
  return {
    kind: 'retry',
    etaMs,
    ...(content !== undefined && { content }),
    ...(failure !== undefined && { exceptionText: failure.text, traceback: failure.traceback, summary: failure.summary }),
  }
}

/** What was not signed cannot be a graph, which has to be; it stays in its serializer. */
function contentOf(
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  call: DecodedCall,
  { codec, contentType, isSigned }: { codec: Codec; contentType: string; isSigned: boolean },
): RetryContent {
  if (call.fn !== undefined) throw new InvalidTaskError('A function that came along with its call cannot be retried with other arguments; submit it anew, or make it a task.')
  const serializer = serializerName(contentType)
  const { content, argsText, kwargsText } = isSigned
    ? codec.encodeCall(args, kwargs, undefined, call.embed, serializer)
    : codec.encodeNamedCall(args, kwargs, call.embed, serializer)
  const body = content ?? {
    body: joinBody(argsText ?? stringifyJson(args, 'args'), kwargsText ?? stringifyJson(kwargs, 'kwargs'), call.embed),
    contentType: JSON_CONTENT_TYPE,
    contentEncoding: 'utf-8',
  }
  return { ...body, argsrepr: argsRepr(args), kwargsrepr: kwargsRepr(kwargs) }
}

/**
 * The message that asks for the next run: the one of this run with its id and all that follows it, one retry more, and a time.
 *
 * It is signed again if it was signed. One that was not must not come to be: it would be believed more than before.
 */
export function retryMessage(message: Message, request: TaskRequest, { etaMs, content }: Outcome & { kind: 'retry' }, by: { codec: Codec; origin: string; queue: string; nowMs: number }): Message {
  const next = request.protocol === 1 ? fromVersion1(request, by.queue, content) : message
  const headers: Record<string, unknown> = {
    ...next.headers,
    retries: request.retries + 1,
    eta: formatTime(etaMs),
    parent_id: next.headers['parent_id'] ?? request.id,
    origin: by.origin,
    ...(content !== undefined && { argsrepr: content.argsrepr, kwargsrepr: content.kwargsrepr }),
  }
  const wasSigned = (headers[SIGNATURE_HEADER] ?? null) !== null
  delete headers[SIGNATURE_HEADER]
  delete headers['redelivered']
  if (content !== undefined) delete headers['compression']
  const { body, contentEncoding, contentType } = content ?? next
  const properties: Record<string, unknown> = { ...next.properties }
  if (request.expiresMs !== undefined) properties['expiration'] = String(Math.max(0, Math.round(request.expiresMs - by.nowMs)))
  const retried = { body, contentType, contentEncoding, headers, properties }
  if (wasSigned) by.codec.seal(retried)
  return retried
}

/** In protocol 1 everything was in the body. */
function fromVersion1(request: TaskRequest, queue: string, content: RetryContent | undefined): Message {
  const { id, task, origin = '', replyTo = '', expiresMs, groupId, groupIndex, timeLimit, softTimeLimit, rootId, parentId } = request
  return buildTaskMessage({ id, task, queue, origin, replyTo, content, expiresMs, groupId, groupIndex, timeLimit, softTimeLimit, rootId, parentId })
}

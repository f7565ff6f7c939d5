import { Buffer } from 'node:buffer'
import { EncodeError } from '../errors.ts'
import { type Embed, JSON_CONTENT_TYPE, joinBody } from './body.ts'
import { compress } from './encoding.ts'
import { assertJson, stringifyJson } from './json.ts'
import { argsRepr, kwargsRepr } from './repr.ts'
import { formatTime } from './time.ts'

export { readTaskMessage, SIGNATURE_HEADER, type TaskRequest } from './task-request.ts'

/** A message as brokers carry it: everything is in wire form, and the body is still encoded. */
export interface Message {
  /** Text for textual serializers, bytes for binary or compressed ones. */
  readonly body: string | Uint8Array
  /** E.g. `application/json`. */
  readonly contentType: string
  /** `utf-8` or `binary`. */
  readonly contentEncoding: string
  /** Celery's task headers, snake_case. */
  readonly headers: Readonly<Record<string, unknown>>
  /** Message properties, snake_case: `correlation_id`, `reply_to`, `priority`, … */
  readonly properties: Readonly<Record<string, unknown>>
}

/** A body and what it is. */
export type Content = Pick<Message, 'body' | 'contentType' | 'contentEncoding'>

/** One call of a task, as {@link buildTaskMessage} takes it. Times are milliseconds since 1970, limits are seconds. */
export interface TaskMessageInput {
  readonly id: string
  /** In whose name it is sent: a follow-up is in that of the language whose task it follows. Default: `js`. */
  readonly lang?: string | undefined
  /** Name of the task. */
  readonly task: string
  readonly queue: string
  /** Who sends it, `gen<pid>@<host>`; informational. */
  readonly origin: string
  /** Queue for `rpc` replies; one per producer. */
  readonly replyTo: string

  readonly args?: readonly unknown[] | undefined
  readonly kwargs?: Readonly<Record<string, unknown>> | undefined
  /** JSON of `args` or `kwargs`, when the caller has it already. */
  readonly argsText?: string | undefined
  readonly kwargsText?: string | undefined
  /** What is to happen after the task. */
  readonly embed?: Embed | undefined
  /** A whole body in any format, e.g. of a message that is sent again. Then `args` and `kwargs` are only shown. */
  readonly content?: Content | undefined
  /** `gzip`, `zlib`, `brotli` or `zstd`: how the body is compressed, which is not compressed yet. */
  readonly compression?: string | undefined
  /** Largest body in bytes before it is compressed: what is larger would be refused where it is read. */
  readonly maxSize?: number | undefined

  readonly etaMs?: number | undefined
  readonly expiresMs?: number | undefined
  /** The time now, from which the property `expiration` is reckoned; it is left out when this is. */
  readonly nowMs?: number | undefined
  readonly retries?: number | undefined
  /** 0 to 9. */
  readonly priority?: number | undefined
  /** Shown in logs instead of the task's name. */
  readonly shadow?: string | undefined
  readonly groupId?: string | undefined
  readonly groupIndex?: number | undefined
  /** First task of the workflow. Default: this one. */
  readonly rootId?: string | undefined
  /** The task that sends this one. */
  readonly parentId?: string | undefined
  readonly timeLimit?: number | undefined
  readonly softTimeLimit?: number | undefined
  readonly ignoreResult?: boolean | undefined
  /** 2 survives a restart of the broker, the default; 1 need not. */
  readonly deliveryMode?: 1 | 2 | undefined
  readonly replacedTaskNesting?: number | undefined
  readonly stamps?: Readonly<Record<string, unknown>> | undefined
  readonly stampedHeaders?: readonly string[] | undefined
  /** Shown in logs instead of the arguments. */
  readonly argsrepr?: string | undefined
  readonly kwargsrepr?: string | undefined
  /** Headers of the caller's own, merged on the top level. */
  readonly headers?: Readonly<Record<string, unknown>> | undefined
}

const NO_ARGS: readonly unknown[] = []

/**
 * Builds a task message in Celery protocol 2, with every header that Celery writes, in its order.
 * @throws {@link EncodeError} naming the argument or header that cannot travel.
 * @see Celery 5.6 `celery/app/amqp.py`, `as_task_v2`
 */
export function buildTaskMessage(input: TaskMessageInput): Message {
  requireText(input.id, 'id')
  requireText(input.task, 'task')
  const headers = buildHeaders(input)
  const content = compressContent(input.content ?? buildContent(input), input, headers)
  if (input.headers !== undefined) mergeHeaders(headers, input.headers)
  return {
    body: content.body,
    contentType: content.contentType,
    contentEncoding: content.contentEncoding,
    headers,
    properties: buildProperties(input),
  }
}

function buildHeaders(input: TaskMessageInput): Record<string, unknown> {
  return {
    lang: input.lang ?? 'js',
    task: input.task,
    id: input.id,
    shadow: input.shadow ?? null,
    eta: input.etaMs === undefined ? null : formatTime(input.etaMs),
    expires: input.expiresMs === undefined ? null : formatTime(input.expiresMs),
    group: input.groupId ?? null,
    group_index: input.groupIndex ?? null,
    retries: input.retries ?? 0,
    // Hard limit first. Any other length ends a Python worker.
    timelimit: [input.timeLimit ?? null, input.softTimeLimit ?? null],
    root_id: input.rootId ?? input.id,
    parent_id: input.parentId ?? null,
    argsrepr: input.argsrepr ?? showArgs(input),
    kwargsrepr: input.kwargsrepr ?? showKwargs(input),
    origin: input.origin,
    ignore_result: input.ignoreResult ?? false,
    replaced_task_nesting: input.replacedTaskNesting ?? 0,
    stamped_headers: input.stampedHeaders ?? null,
    stamps: input.stamps ?? {},
  }
}

function showArgs({ args, argsText, content }: TaskMessageInput): string {
  if (args !== undefined) return argsRepr(args)
  return argsText === undefined && content === undefined ? '()' : '(...)'
}

function showKwargs({ kwargs, kwargsText, content }: TaskMessageInput): string {
  if (kwargs !== undefined) return kwargsRepr(kwargs)
  return kwargsText === undefined && content === undefined ? '{}' : '{...}'
}

function buildContent(input: TaskMessageInput): Content {
  const argsText = input.argsText ?? stringifyJson(input.args ?? NO_ARGS, 'args')
  const kwargsText = input.kwargsText ?? (input.kwargs === undefined ? '{}' : stringifyJson(input.kwargs, 'kwargs'))
  return { body: joinBody(argsText, kwargsText, input.embed), contentType: JSON_CONTENT_TYPE, contentEncoding: 'utf-8' }
}

function compressContent(content: Content, { compression, maxSize, task }: TaskMessageInput, headers: Record<string, unknown>): Content {
  if (maxSize !== undefined) refuseTooLarge(content.body, task, maxSize)
  if (compression === undefined) return content
  const { body, header } = compress(content.body, compression)
  headers['compression'] = header
  return { ...content, body }
}

/**
 * A worker would keep the message as a dead letter rather than read it.
 * @throws {@link EncodeError} for a body of more bytes than `limit`.
 */
export function refuseTooLarge(body: string | Uint8Array, task: string, limit: number): void {
  // No character takes more than three bytes, so most bodies need not be measured.
  if (body.length * 3 <= limit) return
  const size = Buffer.byteLength(body)
  if (size > limit) throw new EncodeError(`The call of ${task}, its arguments and what it captures, takes ${size} bytes, more than the ${limit} that taskMessageMaxSize allows; pass the path of a file instead`, 'args')
}

/** The caller's headers never replace ours: a Python worker ends itself over a wrong one. */
function mergeHeaders(headers: Record<string, unknown>, own: Readonly<Record<string, unknown>>): void {
  assertJson(own, 'headers')
  for (const key of Object.keys(own)) {
    const value = own[key]
    if (key in headers) throw new EncodeError(`headers.${key} is written by the protocol itself; choose another name`, `headers.${key}`)
    if (value !== undefined) headers[key] = value
  }
}

function buildProperties(input: TaskMessageInput): Record<string, unknown> {
  const properties: Record<string, unknown> = {
    correlation_id: input.id,
    reply_to: input.replyTo,
    delivery_mode: input.deliveryMode ?? 2,
    // A Python worker sends a retry to this routing key.
    delivery_info: { exchange: '', routing_key: input.queue },
    priority: input.priority ?? 0,
  }
  if (input.expiresMs !== undefined && input.nowMs !== undefined) {
    properties['expiration'] = String(Math.max(0, Math.round(input.expiresMs - input.nowMs)))
  }
  return properties
}

function requireText(value: unknown, what: string): void {
  if (typeof value !== 'string' || value === '') throw new EncodeError(`${what} must be a text that is not empty`, what)
}

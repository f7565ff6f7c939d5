import { ContentDisallowed } from '../errors.ts'
import { decodeContent, type EncodedBody } from './body.ts'
import { isObject, malformed } from './malformed.ts'
import { serializerName } from './serializers/open.ts'
import { parseTime } from './time.ts'

/**
 * The header that carries a message's signature: `v1.<key id>.<valid until>.<MAC>`.
 *
 * Valid until is in milliseconds since 1970, base 36, or empty for ever; the MAC is HMAC-SHA-256 in base64url.
 */
export const SIGNATURE_HEADER: string = 'x-celeriac-signature'

/** One delivery of a task: its headers, read and checked. The body stays encoded; `decodeBody` reads it. */
export interface TaskRequest {
  readonly id: string
  /** Name of the task. */
  readonly task: string
  /** 1 when everything was in the body. */
  readonly protocol: 1 | 2
  /** Milliseconds since 1970. */
  readonly etaMs: number | undefined
  readonly expiresMs: number | undefined
  readonly retries: number
  readonly shadow: string | undefined
  readonly groupId: string | undefined
  readonly groupIndex: number | undefined
  readonly rootId: string
  readonly parentId: string | undefined
  /** Seconds. */
  readonly timeLimit: number | undefined
  readonly softTimeLimit: number | undefined
  /** Undefined when the sender did not say. */
  readonly ignoreResult: boolean | undefined
  readonly argsrepr: string | undefined
  readonly kwargsrepr: string | undefined
  readonly origin: string | undefined
  readonly replyTo: string | undefined
  readonly replacedTaskNesting: number
  readonly stamps: Readonly<Record<string, unknown>>
  readonly stampedHeaders: readonly string[]
  /** Headers that the protocol does not know: the sender's own. The signature is none of them. */
  readonly headers: Readonly<Record<string, unknown>>
}

/** What of a message is needed to read it. */
export interface TaskEnvelope extends EncodedBody {
  readonly properties: Readonly<Record<string, unknown>>
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads the headers of a task message: protocol 2, or protocol 1 when there is no `task` header.
 *
 * Refuses everything that ends or confuses a Python worker, each with its reason.
 * @throws {@link DecodeError} when a header is missing or malformed, or the message is not a task at all.
 * @throws {@link ContentDisallowed} when a protocol 1 body cannot be read.
 */
export function readTaskMessage(message: TaskEnvelope): TaskRequest {
  if (message.contentType === '') throw malformed('the content type', 'a name such as "application/json"', undefined)
  const protocol = (message.headers['task'] ?? null) === null ? 1 : 2
  const fields = protocol === 2 ? message.headers : readVersion1(message)

  const id = requiredText(fields, 'id')
  const [timeLimit, softTimeLimit] = readTimeLimit(fields['timelimit'] ?? null)
  return {
    id,
    task: requiredText(fields, 'task'),
    protocol,
    etaMs: optionalTime(fields, 'eta'),
    expiresMs: optionalTime(fields, 'expires'),
    retries: optionalCount(fields, 'retries') ?? 0,
    shadow: shownText(fields, 'shadow'),
    groupId: optionalText(fields, 'group') ?? (protocol === 1 ? optionalText(fields, 'taskset') : undefined),
    groupIndex: optionalCount(fields, 'group_index'),
    rootId: optionalText(fields, 'root_id') ?? id,
    parentId: optionalText(fields, 'parent_id'),
    timeLimit,
    softTimeLimit,
    ignoreResult: typeof fields['ignore_result'] === 'boolean' ? fields['ignore_result'] : undefined,
    argsrepr: shownText(fields, 'argsrepr'),
    kwargsrepr: shownText(fields, 'kwargsrepr'),
    origin: shownText(fields, 'origin'),
    replyTo: shownText(message.properties, 'reply_to'),
    replacedTaskNesting: optionalCount(fields, 'replaced_task_nesting') ?? 0,
    stamps: isObject(fields['stamps']) ? fields['stamps'] : {},
    stampedHeaders: Array.isArray(fields['stamped_headers']) ? fields['stamped_headers'].filter((name) => typeof name === 'string') : [],
    headers: ownHeaders(message.headers),
  }
}

function readVersion1(message: TaskEnvelope): Fields {
  const content = decodeVersion1(message)
  if (!isObject(content) || !('task' in content)) {
    throw malformed('the message', 'a task, with a header or a body that names it', content)
  }
  return content
}

/** The worker reads it before it knows the task: in JSON only, whatever else tasks may be in. */
function decodeVersion1(message: TaskEnvelope): unknown {
  const { contentType } = message
  if (contentType === 'application/json' || serializerName(contentType) === undefined) return decodeContent(message)
  const detail = 'a message without the header "task" is read as Celery\'s protocol 1, in JSON only. Let the sender use task_protocol = 2.'
  throw new ContentDisallowed(`Refusing to read ${serializerName(contentType)} (${contentType}): ${detail}`, contentType)
}

function requiredText(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string' || value === '') throw malformed(`header "${name}"`, 'a text that is not empty', value)
  return value
}

/** For ids: a wrong one would be looked for in vain. */
function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name] ?? undefined
  if (value !== undefined && typeof value !== 'string') throw malformed(`header "${name}"`, 'a text or null', value)
  return value
}

/** For what is only shown: a wrong one is no reason to refuse the task. */
function shownText(fields: Fields, name: string): string | undefined {
  const value = fields[name]
  return typeof value === 'string' ? value : undefined
}

function optionalCount(fields: Fields, name: string): number | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined) return undefined
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw malformed(`header "${name}"`, 'a whole number or null', value)
  return value as number
}

function optionalTime(fields: Fields, name: string): number | undefined {
  const value = fields[name] ?? null
  return value === null ? undefined : parseTime(value, `header "${name}"`)
}

function readTimeLimit(value: unknown): [number | undefined, number | undefined] {
  if (value === null) return [undefined, undefined]
  if (!Array.isArray(value) || value.length !== 2 || !value.every(isLimit)) {
    throw malformed('header "timelimit"', '[hard, soft], each a number of seconds or null', value)
  }
  return [value[0] ?? undefined, value[1] ?? undefined]
}

function isLimit(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && value >= 0)
}

/** The headers that every task message of ours begins with, in this order. */
export const TASK_HEADERS: readonly string[] = [
  ...['lang', 'task', 'id', 'shadow', 'eta', 'expires', 'group', 'group_index', 'retries', 'timelimit', 'root_id', 'parent_id'],
  ...['argsrepr', 'kwargsrepr', 'origin', 'ignore_result', 'replaced_task_nesting', 'stamped_headers', 'stamps'],
]

const PROTOCOL_HEADERS: ReadonlySet<string> = new Set([...TASK_HEADERS, 'compression', SIGNATURE_HEADER])

const NO_HEADERS: Fields = Object.freeze({})

function ownHeaders(headers: Fields): Fields {
  let own: Record<string, unknown> | undefined
  for (const name of Object.keys(headers)) {
    if (PROTOCOL_HEADERS.has(name)) continue
    own ??= Object.create(null) as Record<string, unknown>
    own[name] = headers[name]
  }
  return own ?? NO_HEADERS
}

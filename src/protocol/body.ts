import { Buffer } from 'node:buffer'
import { ContentDisallowed, DecodeError } from '../errors.ts'
import { decompress, LARGEST_BODY } from './encoding.ts'
import { parseJson, stringifyJson } from './json.ts'
import { isObject, malformed } from './malformed.ts'
import { SERIALIZERS, serializerName, type SerializerName, serializerNamed } from './serializers/open.ts'
import { restoreTypes } from './typed-values.ts'

/** Content type of Celery's JSON serializer, which every value that is a plain tree travels in. */
export const JSON_CONTENT_TYPE = 'application/json'

/** Content type of what JSON alone cannot hold: rich values, functions. Only whoever runs the task reads it. */
export const GRAPH_CONTENT_TYPE = 'application/x-celeriac-graph+json'

/** A signature in wire form: `{"task", "args", "kwargs", "options", …}`. */
export type WireSignature = Readonly<Record<string, unknown>>

/** What is to happen after a task, as it travels in its body. */
export interface Embed {
  readonly callbacks: readonly WireSignature[] | null
  readonly errbacks: readonly WireSignature[] | null
  /** The steps still to come, the next one last. */
  readonly chain: readonly WireSignature[] | null
  readonly chord: WireSignature | null
}

/** A body, decoded. */
export interface TaskBody {
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly embed: Embed
}

/** What of a message is needed to read its body. */
export interface EncodedBody {
  readonly body: string | Uint8Array
  readonly contentType: string
  readonly headers: Readonly<Record<string, unknown>>
}

/** What may be read, and how much of it. */
export interface ReadOptions {
  /** Content types or serializer names that are accepted. Default: JSON only. */
  readonly accept?: readonly string[] | undefined
  /** Largest body in bytes, once decompressed. */
  readonly maxSize?: number | undefined
  /** Whether `__type__` objects of kombu 5.3 become what they stand for. Default: they stay objects. */
  readonly restoreTypes?: boolean | undefined
}

/** The body of a message and what it is. */
export interface BodyContent {
  readonly body: string | Uint8Array
  readonly contentType: string
  readonly contentEncoding: string
}

const NO_EMBED: Embed = { callbacks: null, errbacks: null, chain: null, chord: null }
const NO_EMBED_TEXT = '{"callbacks": null, "errbacks": null, "chain": null, "chord": null}'

/**
 * Writes the body of a task message, `[args, kwargs, embed]`.
 * @throws {@link EncodeError} naming the argument that cannot travel.
 */
export function encodeBody(args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>, embed?: Embed): string {
  return joinBody(stringifyJson(args, 'args'), stringifyJson(kwargs, 'kwargs'), embed)
}

/** How nearly every body ends, ours and Python's. */
const PLAIN_END = `, {}, ${NO_EMBED_TEXT}]`

/**
 * The arguments in a body, as the JSON that they are, without reading it: where it is of the most common form, no keywords and
 * nothing to follow. They are JSON only if the body is. {@link joinBody} makes the same body of them again.
 */
export function plainArgumentsText({ body, contentType }: Pick<EncodedBody, 'body' | 'contentType'>): string | undefined {
  if (contentType !== JSON_CONTENT_TYPE || typeof body !== 'string' || !body.startsWith('[[') || !body.endsWith(PLAIN_END)) return undefined
  return body.slice(1, -PLAIN_END.length)
}

/** Writes a body from arguments that are JSON already. */
export function joinBody(argsText: string, kwargsText: string, embed?: Embed): string {
  return `[${argsText}, ${kwargsText}, ${embed === undefined ? NO_EMBED_TEXT : stringifyJson({ ...NO_EMBED, ...embed }, 'embed')}]`
}

/**
 * Writes a body with another serializer than JSON.
 * @throws {@link EncodeError} naming the argument that cannot travel. @throws {@link ImproperlyConfigured} when the serializer's package
 * is not installed.
 */
export function serializeBody(
  name: Exclude<SerializerName, 'json'>,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  embed?: Embed,
): BodyContent {
  const { contentEncoding, contentType } = SERIALIZERS[name]
  const body = serializerNamed(name).encodeList([args, kwargs, { ...NO_EMBED, ...embed }], ['args', 'kwargs', 'embed'])
  return { body, contentEncoding, contentType }
}

/**
 * Reads the body of a task message: three items of protocol 2, or the object of protocol 1, whose chain is
 * inside its callbacks.
 * @throws {@link ContentDisallowed} when the content type is not accepted or not one we can read.
 * @throws {@link DecodeError} when the body is not what the protocol says.
 */
export function decodeBody(message: EncodedBody, options: ReadOptions = {}): TaskBody {
  const content = decodeContent(message, options)
  if (isObject(content)) return readObjectBody(content, message.headers)
  if (!Array.isArray(content) || content.length !== 3) throw malformed('the body', 'three items, [args, kwargs, embed]', content)
  const [args, kwargs, embed] = content as [unknown, unknown, unknown]
  return bodyOf(args, kwargs, embed)
}

/**
 * Makes a body of its parts.
 * @throws {@link DecodeError} when one of them is not what the protocol says.
 */
export function bodyOf(args: unknown, kwargs: unknown, embed: unknown): TaskBody {
  if (!Array.isArray(args)) throw malformed('the arguments in the body', 'a list', args)
  if (!isRecord(kwargs)) throw malformed('the keyword arguments in the body', 'an object', kwargs)
  return { args: args as unknown[], kwargs, embed: readEmbed(embed) }
}

/**
 * Reads the content of any message, whatever it means.
 * @throws as {@link decodeBody} does.
 */
export function decodeContent(message: EncodedBody, options: ReadOptions = {}): unknown {
  const name = acceptedSerializer(message.contentType, options.accept ?? JSON_ONLY)
  if (name !== 'json') return serializerNamed(name).decode(bodyBytes(message, options.maxSize))
  const text = bodyText(message, options.maxSize)
  const content = parseJson(text, 'the body')
  return options.restoreTypes && text.includes('"__type__"') ? restoreTypes(content) : content
}

/**
 * The body as text: decompressed and read as UTF-8, which is what JSON is in whatever `content-encoding` says.
 * @throws {@link DecodeError} when it cannot be decompressed, is too large, or is not UTF-8.
 */
export function bodyText(message: Pick<EncodedBody, 'body' | 'headers'>, maxSize: number = LARGEST_BODY): string {
  const body = plainBody(message, maxSize)
  return typeof body === 'string' ? body : fromUtf8(body)
}

function bodyBytes(message: Pick<EncodedBody, 'body' | 'headers'>, maxSize: number = LARGEST_BODY): Uint8Array {
  const body = plainBody(message, maxSize)
  return typeof body === 'string' ? Buffer.from(body) : body
}

function plainBody({ body, headers }: Pick<EncodedBody, 'body' | 'headers'>, maxSize: number): string | Uint8Array {
  const { compression } = headers
  if (compression !== undefined && compression !== null) {
    if (typeof compression !== 'string') throw malformed('header "compression"', 'a name', compression)
    return decompress(body, compression, maxSize)
  }
  if (body.length > maxSize) throw new DecodeError(`The body is larger than ${maxSize} bytes. Pass a reference to large data instead.`)
  return body
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function fromUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (error) {
    throw malformed('the body', 'UTF-8 text', bytes, { cause: error })
  }
}

const JSON_ONLY: readonly string[] = ['json']

/** The serializer that a body is in, if it may be read. */
function acceptedSerializer(contentType: string, accept: readonly string[]): SerializerName {
  if (contentType === '') throw malformed('the content type', 'a name such as "application/json"', undefined)
  const name = serializerName(contentType)
  if (name !== undefined && (accept.includes(name) || accept.includes(contentType))) return name
  throw new ContentDisallowed(`Refusing to read ${name ?? nameOfOther(contentType)} (${contentType}): ${whyNot(contentType, name)}`, contentType)
}

const OTHERS: Readonly<Record<string, string>> = {
  [GRAPH_CONTENT_TYPE]: 'graph',
  'application/x-python-serialize': 'pickle',
  'application/data': 'auth',
  'text/plain': 'raw text',
}

function nameOfOther(contentType: string): string {
  return (Object.hasOwn(OTHERS, contentType) ? OTHERS[contentType] : undefined) ?? 'content of an unknown kind'
}

function whyNot(contentType: string, name: SerializerName | undefined): string {
  if (name !== undefined) return `it is not in "acceptContent". Add "${name}" there, or let the sender use task_serializer = "json".`
  if (contentType === GRAPH_CONTENT_TYPE) return 'it is read where its task runs.'
  if (contentType === 'application/x-python-serialize') return 'reading pickle runs code of the sender\'s choice. Let the sender use task_serializer = "json".'
  return 'it is not one of json, msgpack and yaml. Let the sender use task_serializer = "json".'
}

/** Protocol 1, and its mix with protocol 2 headers, in which `args` must be there. */
function readObjectBody(content: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, unknown>>): TaskBody {
  const { args = headers['task'] === undefined ? [] : undefined, kwargs = {}, callbacks, errbacks, chord } = content
  if (args === undefined) throw malformed('the body', 'three items, [args, kwargs, embed]', content)
  return bodyOf(args ?? [], kwargs ?? {}, { callbacks, errbacks, chord })
}

function readEmbed(embed: unknown): Embed {
  if (embed === null) return NO_EMBED
  if (!isRecord(embed)) throw malformed('the third item of the body', 'an object or null', embed)
  return {
    callbacks: readSignatures(embed, 'callbacks'),
    errbacks: readSignatures(embed, 'errbacks'),
    chain: readSignatures(embed, 'chain'),
    chord: readSignature(embed['chord'] ?? null, 'chord'),
  }
}

function readSignatures(embed: Readonly<Record<string, unknown>>, key: string): readonly WireSignature[] | null {
  const value = embed[key] ?? null
  if (value === null) return null
  if (isRecord(value)) return [value]
  if (!Array.isArray(value) || !value.every(isRecord)) throw malformed(`"${key}" in the body`, 'a list of signatures', value)
  return value
}

function readSignature(value: unknown, key: string): WireSignature | null {
  if (value !== null && !isRecord(value)) throw malformed(`"${key}" in the body`, 'a signature or null', value)
  return value
}

/** An object with keys, and not the times, sets and bytes that YAML and msgpack have besides: their keys would be none. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

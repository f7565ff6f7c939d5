import type { Message } from '../../protocol/message.ts'
import { TASK_HEADERS } from '../../protocol/task-request.ts'
import { Layout } from './layout.ts'

const HEADERS = new Layout(TASK_HEADERS)
const PROPERTIES = new Layout(['correlation_id', 'reply_to', 'delivery_mode', 'delivery_info', 'priority'])

/** A message's two columns. */
export interface StoredMessage {
  /** JSON of everything but the body, headers and properties as a {@link Layout} packs them. */
  readonly envelope: string
  readonly body: string | Uint8Array
}

/** Writes a message as it is stored. Throws a `TypeError` when a header cannot be written as JSON. */
export function storeMessage(message: Message): StoredMessage {
  const { body, contentType, contentEncoding, headers, properties } = message
  return { envelope: JSON.stringify({ contentType, contentEncoding, headers: HEADERS.pack(headers), properties: PROPERTIES.pack(properties) }), body }
}

/** Reads the columns back, whatever they hold; a sentence that says what is wrong when they hold no message. */
export function readStoredMessage(envelope: unknown, body: unknown): Message | string {
  if (typeof envelope !== 'string') return `The envelope is ${describe(envelope)}, expected JSON text.`
  let parsed: unknown
  try {
    parsed = JSON.parse(envelope)
  } catch (error) {
    return `The envelope is not JSON: ${(error as Error).message}.`
  }
  if (!isRecord(parsed)) return `The envelope is ${describe(parsed)}, expected an object.`
  const { contentType, contentEncoding } = parsed
  if (typeof contentType !== 'string') return `The content type is ${describe(contentType)}, expected text.`
  if (typeof contentEncoding !== 'string') return `The content encoding is ${describe(contentEncoding)}, expected text.`
  const headers = HEADERS.unpack(parsed['headers'])
  if (headers === undefined) return `The headers are ${describe(parsed['headers'])}, expected an object.`
  const properties = PROPERTIES.unpack(parsed['properties'])
  if (properties === undefined) return `The properties are ${describe(parsed['properties'])}, expected an object.`
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return `The body is ${describe(body)}, expected text or bytes.`
  return { body, contentType, contentEncoding, headers, properties }
}

/** What can be read of a message whose body is at fault: all but the body, which is empty. */
export function readWithoutBody(envelope: unknown): Message | undefined {
  const message = readStoredMessage(envelope, '')
  return typeof message === 'string' ? undefined : message
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'missing'
  return Array.isArray(value) ? 'an array' : typeof value
}

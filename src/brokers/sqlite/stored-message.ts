import type { Message } from '../../protocol/message.ts'

/** A message's two columns. */
export interface StoredMessage {
  /** JSON of everything but the body. */
  readonly envelope: string
  readonly body: string | Uint8Array
}

/** Writes a message as it is stored. Throws a `TypeError` when a header cannot be written as JSON. */
export function storeMessage(message: Message): StoredMessage {
  const { body, contentType, contentEncoding, headers, properties } = message
  return { envelope: JSON.stringify({ contentType, contentEncoding, headers, properties }), body }
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
  const { contentType, contentEncoding, headers, properties } = parsed
  if (typeof contentType !== 'string') return `The content type is ${describe(contentType)}, expected text.`
  if (typeof contentEncoding !== 'string') return `The content encoding is ${describe(contentEncoding)}, expected text.`
  if (!isRecord(headers)) return `The headers are ${describe(headers)}, expected an object.`
  if (!isRecord(properties)) return `The properties are ${describe(properties)}, expected an object.`
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

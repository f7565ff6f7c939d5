import { Buffer, isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { parseJson, stringifyJson } from './json.ts'
import { isObject, malformed } from './malformed.ts'
import type { Message } from './message.ts'

/**
 * Writes a message as one element of a Redis list: JSON, with the body in base64 as kombu does.
 * @throws {@link EncodeError} when a header or property cannot be written as JSON.
 */
export function encodeEnvelope(message: Message): string {
  return stringifyJson(
    {
      body: toBase64(message.body),
      'content-encoding': message.contentEncoding,
      'content-type': message.contentType,
      headers: message.headers,
      // As with kombu, the transport names the delivery: a message that is put back keeps its tag, each new one has its own.
      properties: { delivery_tag: randomUUID(), ...message.properties, body_encoding: 'base64' },
    },
    'message',
  )
}

/** A body as it stands in an envelope. */
export function toBase64(body: string | Uint8Array): string {
  if (typeof body !== 'string') return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64')
  // Most bodies are ASCII only, for which there is a shorter way.
  return Buffer.byteLength(body) === body.length ? btoa(body) : Buffer.from(body).toString('base64')
}

/**
 * Reads one element of a Redis list.
 *
 * A body without `body_encoding` is the plain text. Missing headers are none, and a missing content type is `''`, which whoever
 * reads the body refuses: what is refused here could not even be put into a dead-letter queue as a message.
 * @throws {@link DecodeError} when it is not an envelope, or lacks what kombu needs to handle it.
 */
export function decodeEnvelope(text: string): Message {
  const envelope = parseJson(text, 'the message')
  if (!isObject(envelope)) throw malformed('the message', 'an envelope object', envelope)
  const { body, headers, properties } = envelope
  if (typeof body !== 'string') throw malformed('"body" of the message', 'a text', body)
  if (!isObject(properties)) throw malformed('"properties" of the message', 'an object', properties)
  const { body_encoding: bodyEncoding, ...others } = properties
  checkProperties(others)

  const known = isObject(headers) ? headers : {}
  const contentEncoding = textOr(envelope['content-encoding'], 'utf-8')
  return {
    body: bodyEncoding === 'base64' ? readBody(body, contentEncoding, known) : body,
    contentType: textOr(envelope['content-type'], ''),
    contentEncoding,
    headers: known,
    properties: others,
  }
}

function checkProperties(properties: Readonly<Record<string, unknown>>): void {
  const { delivery_tag: tag, delivery_info: info } = properties
  if (typeof tag !== 'string' || tag === '') throw malformed('property "delivery_tag"', 'a unique text', tag)
  if (!isObject(info)) throw malformed('property "delivery_info"', 'an object with the exchange and the routing key', info)
}

/**
 * A body in base64: text where it says so and is.
 * @throws {@link DecodeError} when it is not base64.
 */
export function readBody(base64: string, contentEncoding: string, headers: Readonly<Record<string, unknown>>): string | Uint8Array {
  const bytes = Buffer.from(base64, 'base64')
  // Node skips what is not base64, so a wrong text shows in the length of what it decodes to.
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  if (base64.length % 4 !== 0 || bytes.length !== (base64.length / 4) * 3 - padding) {
    throw malformed('"body" of the message', 'base64', base64)
  }
  // Bytes that claim to be text and are not stay bytes, so that nothing of them is lost.
  const textual = contentEncoding !== 'binary' && (headers['compression'] ?? null) === null
  return textual && isUtf8(bytes) ? bytes.toString('utf8') : bytes
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback
}

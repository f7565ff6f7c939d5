import { readdirSync, readFileSync } from 'node:fs'
import { isObject } from '../../src/protocol/malformed.ts'
import type { Message } from '../../src/protocol/message.ts'
import { decodeEnvelope } from '../../src/protocol/envelope.ts'

/** A message that Celery sent, as it was captured. */
export interface GoldenMessage {
  /** File name without `.json`. */
  readonly file: string
  readonly call: string
  readonly message: Message
  /** The content in the notation of the captures; undefined where they do not give it. */
  readonly decoded: unknown
}

/** A stored or published text, where it was captured. */
export interface GoldenText {
  readonly file: string
  readonly key: string
  readonly raw: string
}

const FOLDER = new URL('../golden/', import.meta.url)

/** Names of every capture in a folder, without `.json`. */
export function goldenNames(folder: 'messages' | 'results'): string[] {
  return readdirSync(new URL(`${folder}/`, FOLDER)).map((name) => name.replace(/\.json$/, ''))
}

/** One capture as it is. */
export function golden(folder: 'messages' | 'results', name: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(new URL(`${folder}/${name}.json`, FOLDER), 'utf8')) as Readonly<Record<string, unknown>>
}

/** Every message in a capture: of a Redis list, or as RabbitMQ delivered it. */
export function goldenMessages(folder: 'messages' | 'results', name: string): GoldenMessage[] {
  const capture = golden(folder, name)
  const entries = Array.isArray(capture['messages']) ? (capture['messages'] as Readonly<Record<string, unknown>>[]) : []
  return entries.map((entry) => ({
    file: name,
    call: String(capture['call']),
    message: typeof entry['raw'] === 'string' ? decodeEnvelope(entry['raw']) : amqpMessage(entry),
    decoded: entry['body_decoded'] ?? (typeof entry['body_text'] === 'string' ? JSON.parse(entry['body_text']) : undefined),
  }))
}

/** Only message of a capture. */
export function goldenMessage(name: string): GoldenMessage {
  const [message] = goldenMessages('messages', name)
  if (message === undefined) throw new Error(`The capture ${name} holds no message`)
  return message
}

/** What a driver for RabbitMQ makes of a delivery. */
function amqpMessage(entry: Readonly<Record<string, unknown>>): Message {
  const { content_type, content_encoding, headers, ...properties } = entry['properties'] as Readonly<Record<string, unknown>>
  const base64 = entry['body_base64']
  return {
    body: typeof base64 === 'string' ? Buffer.from(base64, 'base64') : String(entry['body_text']),
    contentType: String(content_type),
    contentEncoding: String(content_encoding),
    headers: headers as Readonly<Record<string, unknown>>,
    properties,
  }
}

/** Every stored or published text of a capture, wherever it is in it. */
export function goldenTexts(file: string): GoldenText[] {
  const found: GoldenText[] = []
  const walk = (value: unknown, key: string): void => {
    if (Array.isArray(value)) return value.forEach((item) => walk(item, key))
    if (!isObject(value)) return
    const where = typeof value['channel'] === 'string' ? value['channel'] : key
    for (const text of [value['raw'], value['data'], value['redis_key'] === undefined ? value['body_text'] : undefined]) {
      if (typeof text === 'string') found.push({ file, key: where, raw: text })
    }
    for (const [name, item] of Object.entries(value)) if (name !== 'decoded' && name !== 'envelope') walk(item, name)
  }
  walk(golden('results', file), file)
  return found
}

/** A decoded value in the notation of the captures: `{"$int"}` beyond 2^53, `{"$float"}` when not finite, `{"$base64"}` for bytes. */
export function inGoldenNotation(value: unknown): unknown {
  if (typeof value === 'bigint') return { $int: value.toString() }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return { $float: Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf' }
  }
  if (value instanceof Uint8Array) return { $base64: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(inGoldenNotation)
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inGoldenNotation(item)]))
  return value
}

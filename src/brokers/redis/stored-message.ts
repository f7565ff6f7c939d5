import { randomUUID } from 'node:crypto'
import type { Publication } from '../../broker.ts'
import { EncodeError } from '../../errors.ts'
import { decodeEnvelope, toBase64 } from '../../protocol/envelope.ts'
import { isPlainJson, stringifyJson } from '../../protocol/json.ts'
import { type Content, type Message, SIGNATURE_HEADER } from '../../protocol/message.ts'
import { FORM_CONTENT, FormedMessage, type FormText, formText, type MessageForm } from '../../protocol/message-form.ts'

const HIGHEST_PRIORITY = 9

/** A publication as it goes into a list. */
export interface StoredMessage {
  readonly text: string
  /** 0 to 9, the higher the more urgent. */
  readonly urgency: number
}

/** What an element of a list says. */
export interface ReadMessage {
  readonly message: Message
  readonly losses: number
  readonly publishedAtMs: number | undefined
}

/**
 * What we say of a message stands before kombu's own keys, in this order; kombu keeps it when it puts the message back.
 *
 * The scripts read it too, so what is written here is what they look for, down to the blanks, which are Python's.
 */
const OURS = /^\s*\{(?:"celeriac-losses": (\d{1,9}), )?(?:"celeriac-priority": (\d), )?(?:"celeriac-published": ([\d.]{1,20}), )?(?:"celeriac-added": \[([^\]]*)\], )?/

const PUBLISHED = '"celeriac-published": '

/**
 * Writes a message as an element of a queue's list, which Python workers can read.
 *
 * What a transport owes is added where it is missing. The wire's priority is always 0, Python's default and most urgent:
 * any other would make kombu file the message elsewhere when it puts it back.
 * @throws `TypeError` when a header or property cannot be written as JSON.
 */
export function storeMessage({ queue, message, priority = 0 }: Publication, publishedAtMs: number): StoredMessage {
  const urgency = Math.min(Math.max(Math.trunc(priority), 0), HIGHEST_PRIORITY)
  const ours = `{${urgency > 0 ? `"celeriac-priority": ${urgency}, ` : ''}"celeriac-published": ${publishedAtMs}, `
  if (message instanceof FormedMessage) return { text: encodeFormed(ours, message), urgency }
  const { properties } = message
  const added: string[] = []
  if (properties['delivery_info'] === undefined) added.push('delivery_info')
  if (properties['priority'] === undefined) added.push('priority')
  const sent = sentProperties(properties, nextTag())
  if (added[0] === 'delivery_info') sent['delivery_info'] = { exchange: '', routing_key: queue }

  const mark = added.length === 0 ? '' : `"celeriac-added": [${added.map((name) => `"${name}"`).join(', ')}], `
  return { text: `${ours}${mark}${encode(message, sent)}}`, urgency }
}

function sentProperties(properties: Readonly<Record<string, unknown>>, tag: string): Record<string, unknown> {
  return { ...properties, priority: 0, body_encoding: 'base64', delivery_tag: tag }
}

/** What {@link encode} writes of the messages of a form, in two parts: the signature is between them, and the tag at the end. */
interface FormTexts {
  readonly headers: FormText
  readonly properties: FormText
}

const textsOfForms = new WeakMap<MessageForm, FormTexts>()

function encodeFormed(ours: string, message: FormedMessage): string {
  const { body, form, signature } = message
  let texts = textsOfForms.get(form)
  if (texts === undefined) textsOfForms.set(form, (texts = textsOf(form)))
  const pieces = [ours, '"body": "', toBase64(body), '", ']
  message.fill(texts.headers, pieces)
  if (signature !== undefined) pieces.push(`,"${SIGNATURE_HEADER}":"`, signature, '"')
  pieces.push('}, ')
  message.fill(texts.properties, pieces)
  pieces.push(nextTag(), '"}}')
  // Rather than a template, whose pieces would be kept until they are put together when it is sent, which takes longer by then.
  return pieces.join('')
}

function textsOf(form: MessageForm): FormTexts {
  return {
    headers: formText(`${contentText(FORM_CONTENT)}, "headers": ${JSON.stringify(form.headers).slice(0, -'}'.length)}`),
    properties: formText(`"properties": ${JSON.stringify(sentProperties(form.properties, '')).slice(0, -'"}'.length)}`),
  }
}

/** What `encodeEnvelope` writes, in pieces: this is the hottest path of sending. */
function encode(message: Message, properties: Readonly<Record<string, unknown>>): string {
  return `"body": "${toBase64(message.body)}", ${contentText(message)}, "headers": ${toJson(message.headers)}, "properties": ${toJson(properties)}`
}

function contentText({ contentEncoding, contentType }: Omit<Content, 'body'>): string {
  return `"content-encoding": ${JSON.stringify(contentEncoding)}, "content-type": ${JSON.stringify(contentType)}`
}

function toJson(fields: Readonly<Record<string, unknown>>): string {
  if (isPlainJson(fields)) return JSON.stringify(fields)
  try {
    return stringifyJson(fields, 'message')
  } catch (error) {
    if (error instanceof EncodeError) throw new TypeError(error.message, { cause: error })
    throw error
  }
}

/** The first parts of a UUID are this process's; the last one counts. */
const TAG = randomUUID().slice(0, -12)
let tags = 0

function nextTag(): string {
  return TAG + (tags += 1).toString(16).padStart(12, '0')
}

/**
 * Reads an element of a queue's list, whoever wrote it: the message without what the transport added.
 * @throws {@link DecodeError} when it is none.
 */
export function readMessage(text: string): ReadMessage {
  const { properties: stored, ...rest } = decodeEnvelope(text)
  const [, losses, urgency, published, added] = OURS.exec(text) ?? []
  const { delivery_tag: _tag, ...others } = stored
  const properties: Record<string, unknown> = others
  if (published !== undefined && properties['priority'] === 0) properties['priority'] = Number(urgency ?? 0)
  if (added !== undefined) for (const name of ['delivery_info', 'priority']) if (added.includes(name)) delete properties[name]
  return { message: { ...rest, properties }, losses: Number(losses ?? 0), publishedAtMs: published === undefined ? undefined : Math.floor(Number(published)) }
}

/** Where it says when we published a message, if it does. */
export function publishedIn(text: string): { readonly from: number; readonly to: number } | undefined {
  const [front = '', , , published] = OURS.exec(text) ?? []
  if (published === undefined) return undefined
  const from = front.indexOf(PUBLISHED) + PUBLISHED.length
  return { from, to: from + published.length }
}

/** As {@link readMessage}; a sentence that says what is wrong when it is none. */
export function tryReadMessage(text: string): ReadMessage | string {
  try {
    return readMessage(text)
  } catch (error) {
    return (error as Error).message
  }
}

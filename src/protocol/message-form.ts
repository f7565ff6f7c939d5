import { randomUUID } from 'node:crypto'
import { deepFreeze } from '../internal/deep-freeze.ts'
import { type EncodedBody, JSON_CONTENT_TYPE } from './body.ts'
import { isPlainJson } from './json.ts'
import { buildTaskMessage, type Content, type Message, SIGNATURE_HEADER, type TaskMessageInput } from './message.ts'
import { readTaskMessage, type TaskRequest } from './task-request.ts'

type Fields = Readonly<Record<string, unknown>>

const NO_FIELDS: Fields = Object.freeze({})

/** What {@link MessageForm.build} takes: all that the messages have in common. */
export type MessageFormInput = Pick<TaskMessageInput, 'task' | 'queue' | 'origin' | 'replyTo' | 'priority' | 'shadow' | 'ignoreResult' | 'headers'>

/** Stand in a form for a message's id, and for its arguments as they are shown. No other text holds them. */
const ID = randomUUID()
const ARGUMENTS = randomUUID()
const QUOTED_ARGUMENTS = `"${ARGUMENTS}"`
const MARKS = new RegExp(`(${ID}|${QUOTED_ARGUMENTS})`)

/** What the bodies of such messages are. */
export const FORM_CONTENT: Omit<Content, 'body'> = { contentType: JSON_CONTENT_TYPE, contentEncoding: 'utf-8' }

/** JSON cut in pieces at the marks, which stay in their places. */
export type FormText = readonly string[]

/**
 * The most common messages of one task, which differ in their ids, arguments and signatures only. What is the same in all of them is
 * made, written, read and sent on once.
 */
export class MessageForm {
  /** As in each of the messages, but for the id and the arguments, in whose places are marks, and the signature. */
  readonly headers: Fields
  readonly properties: Fields
  #request: TaskRequest | undefined

  /** Of what {@link MessageForm.of} has found to be one. */
  constructor(headers: Fields, properties: Fields) {
    this.headers = headers
    this.properties = properties
  }

  /** The form of what {@link buildTaskMessage} makes of the same. */
  static build(input: MessageFormInput): MessageForm {
    const { headers, properties } = buildTaskMessage({ ...input, id: ID, argsrepr: ARGUMENTS })
    return new MessageForm(headers, properties)
  }

  /** The form that this message has, if it has one: whoever sent it, a plain text of JSON that is the first of its workflow. */
  static of({ body, contentEncoding, contentType, headers: read, properties }: Message): MessageForm | undefined {
    const { [SIGNATURE_HEADER]: signature, ...headers } = read
    const { id } = headers
    const isPlain = contentType === FORM_CONTENT.contentType && contentEncoding === FORM_CONTENT.contentEncoding && typeof body === 'string'
    const isFirst = typeof id === 'string' && id !== '' && headers['root_id'] === id && properties['correlation_id'] === id
    const isUsual = typeof headers['argsrepr'] === 'string' && typeof headers['task'] === 'string' && 'delivery_info' in properties && 'priority' in properties
    if (!isPlain || !isFirst || !isUsual || (signature !== undefined && typeof signature !== 'string')) return undefined
    // Whoever writes a form has no eye for big integers, or for what is no number.
    if (!isPlainJson(headers) || !isPlainJson(properties)) return undefined
    return new MessageForm({ ...headers, id: ID, root_id: ID, argsrepr: ARGUMENTS }, { ...properties, correlation_id: ID })
  }

  /** A message of this form. `id` needs no escapes in JSON. */
  message(id: string, argsrepr: string, body: string): FormedMessage {
    return new FormedMessage(this, id, argsrepr, body)
  }

  /** {@link readTaskMessage} of a message of this form. What all of them share cannot be changed, for tasks get to see it. */
  request(id: string, argsrepr: string): TaskRequest {
    this.#request ??= deepFreeze(readTaskMessage({ ...FORM_CONTENT, body: '', headers: this.headers, properties: this.properties }))
    return { ...this.#request, id, rootId: id, argsrepr }
  }
}

/** A message of a {@link MessageForm}. Its headers and properties are made when they are read; whoever writes their JSON need not. */
export class FormedMessage implements Message {
  readonly form: MessageForm
  readonly id: string
  /** Its arguments, as they are shown. */
  readonly argsrepr: string
  readonly body: string
  readonly contentType: string = FORM_CONTENT.contentType
  readonly contentEncoding: string = FORM_CONTENT.contentEncoding
  #signature: string | undefined
  #headers: Fields | undefined

  constructor(form: MessageForm, id: string, argsrepr: string, body: string) {
    this.form = form
    this.id = id
    this.argsrepr = argsrepr
    this.body = body
  }

  get headers(): Fields {
    if (this.#headers === undefined) {
      const { form, id } = this
      const headers: Record<string, unknown> = { ...form.headers, id, root_id: id, argsrepr: this.argsrepr }
      if (this.#signature !== undefined) headers[SIGNATURE_HEADER] = this.#signature
      this.#headers = headers
    }
    return this.#headers
  }

  get properties(): Fields {
    return { ...this.form.properties, correlation_id: this.id }
  }

  get signature(): string | undefined {
    return this.#signature
  }

  /** Sets the last of the headers. */
  set signature(signature: string) {
    this.#signature = signature
    this.#headers = undefined
  }

  /** Adds the text to `pieces`, with what is this message's own in the places of the marks. */
  fill(text: FormText, pieces: string[]): void {
    for (const piece of text) pieces.push(piece === ID ? this.id : piece === QUOTED_ARGUMENTS ? JSON.stringify(this.argsrepr) : piece)
  }
}

/** A message's headers but for those that are its own, where it has a form: they cost nothing. Else all of them. */
export function commonHeaders(message: Pick<Message, 'headers'>): Fields {
  return message instanceof FormedMessage ? message.form.headers : message.headers
}

/** A message's signature, or whatever stands in its place. */
export function signatureOf(message: Pick<Message, 'headers'>): unknown {
  return message instanceof FormedMessage ? message.signature : message.headers[SIGNATURE_HEADER]
}

/**
 * The request that a message is, of which most was read with the first one of its form.
 * @throws as {@link readTaskMessage} does.
 */
export function readRequest(message: EncodedBody & { readonly properties?: Fields }): TaskRequest {
  if (message instanceof FormedMessage) return message.form.request(message.id, message.argsrepr)
  const { body, contentType, headers, properties = NO_FIELDS } = message
  return readTaskMessage({ body, contentType, headers, properties })
}

/** Text for all messages of a form, from JSON of what has its marks. */
export function formText(json: string): FormText {
  return json.split(MARKS)
}

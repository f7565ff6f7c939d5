import { randomUUID } from 'node:crypto'
import { JSON_CONTENT_TYPE } from './body.ts'
import { buildTaskMessage, type Content, type Message, refuseTooLarge, SIGNATURE_HEADER, type TaskMessageInput } from './message.ts'

type Fields = Readonly<Record<string, unknown>>

/** What a form is made of: all that its messages have in common. */
export type MessageFormInput = Pick<TaskMessageInput, 'task' | 'queue' | 'origin' | 'replyTo' | 'maxSize' | 'priority' | 'shadow' | 'ignoreResult' | 'headers'>

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
 * The most common messages of one task, which differ in their ids, arguments and signatures only. What is the same in all of them is made
 * once, and so is its JSON.
 */
export class MessageForm {
  readonly input: MessageFormInput
  /** As in each of the messages, but for the id and the arguments, in whose places are marks, and the signature. */
  readonly headers: Fields
  readonly properties: Fields

  constructor(input: MessageFormInput) {
    const { headers, properties } = buildTaskMessage({ ...input, id: ID, argsrepr: ARGUMENTS })
    this.input = input
    this.headers = headers
    this.properties = properties
  }

  /**
   * What {@link buildTaskMessage} makes of the same; `id` is one of `newTaskId`, which JSON writes as it is.
   * @throws {@link EncodeError} when the body is too large.
   */
  message(id: string, argsrepr: string, body: string): FormedMessage {
    const { maxSize, task } = this.input
    if (maxSize !== undefined) refuseTooLarge(body, task, maxSize)
    return new FormedMessage(this, id, argsrepr, body)
  }
}

/** A message of a {@link MessageForm}. Its headers and properties are made when they are read; whoever writes their JSON need not. */
export class FormedMessage implements Message {
  readonly form: MessageForm
  readonly id: string
  readonly body: string
  readonly contentType: string = FORM_CONTENT.contentType
  readonly contentEncoding: string = FORM_CONTENT.contentEncoding
  readonly #argsrepr: string
  #signature: string | undefined
  #headers: Fields | undefined

  constructor(form: MessageForm, id: string, argsrepr: string, body: string) {
    this.form = form
    this.id = id
    this.body = body
    this.#argsrepr = argsrepr
  }

  get headers(): Fields {
    if (this.#headers === undefined) {
      const { form, id } = this
      const headers: Record<string, unknown> = { ...form.headers, id, root_id: id, argsrepr: this.#argsrepr }
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
    for (const piece of text) pieces.push(piece === ID ? this.id : piece === QUOTED_ARGUMENTS ? JSON.stringify(this.#argsrepr) : piece)
  }
}

/** A message's headers but for those that are its own, where it has a form: they cost nothing. Else all of them. */
export function commonHeaders(message: Pick<Message, 'headers'>): Fields {
  return message instanceof FormedMessage ? message.form.headers : message.headers
}

/** Text for all messages of a form, from JSON of what has its marks. */
export function formText(json: string): FormText {
  return json.split(MARKS)
}

import { deserialize, serialize } from 'node:v8'

import type { TaskContent } from '../pool.ts'
import { joinBody, plainArgumentsText } from '../protocol/body.ts'
import { isPlainJson } from '../protocol/json.ts'
import type { Content } from '../protocol/message.ts'
import { FormedMessage, MessageForm } from '../protocol/message-form.ts'

/** A body as JSON can hold it. */
export type PipedBody = string | { readonly base64: string }

/** Headers as plain JSON can hold them, or else their bytes. */
type PipedHeaders = Headers | string

type Headers = Readonly<Record<string, unknown>>

/** A message on its way to a child: whole, or what is its own and the number of its form, which came with the first one. */
export type PipedMessage = PipedContent | PipedFormed

interface PipedContent extends Omit<Content, 'body'> {
  readonly headers: PipedHeaders
  readonly body: PipedBody
}

interface PipedFormed {
  readonly form: number
  readonly common?: PipedHeaders
  /** Of a body of the most common form only the arguments: the rest is long, and in JSON longer still. */
  readonly args?: string
  readonly body?: string
  readonly signature?: string | undefined
}

/** Forms that a child keeps; the number of the oldest is then given to the next. */
const MOST_FORMS = 64

/** Headers that matter to the worker, or are only shown: half of what a short task would weigh on the pipe. */
const KEPT_BACK = new Set(['argsrepr', 'kwargsrepr', 'origin', 'shadow', 'ignore_result', 'timelimit', 'replaced_task_nesting', 'stamps', 'stamped_headers'])

/** Packs the messages for one child. */
export class MessagePacker {
  readonly #numbers = new Map<MessageForm, number>()
  #next = 0

  /** What {@link MessageUnpacker} makes the message of again, but for headers that do not matter there. */
  pack(message: TaskContent): PipedMessage {
    if (!(message instanceof FormedMessage)) {
      const { contentEncoding, contentType, headers } = message
      return { contentType, contentEncoding, headers: packHeaders(headers), body: packBody(message.body) }
    }
    const { body, form, signature } = message
    const args = plainArgumentsText(message)
    const own = args === undefined ? { body, signature } : { args, signature }
    const known = this.#numbers.get(form)
    return known === undefined ? { form: this.#add(form), common: packHeaders(form.headers), ...own } : { form: known, ...own }
  }

  #add(form: MessageForm): number {
    const number = this.#next++ % MOST_FORMS
    const [oldest] = this.#numbers.keys()
    if (this.#numbers.size === MOST_FORMS && oldest !== undefined) this.#numbers.delete(oldest)
    this.#numbers.set(form, number)
    return number
  }
}

/** Undoes what the {@link MessagePacker} on the other side does. */
export class MessageUnpacker {
  readonly #forms: MessageForm[] = []

  /** Messages have to come in the order in which they were packed. */
  unpack(id: string, piped: PipedMessage): TaskContent {
    if (!('form' in piped)) return { ...piped, headers: unpackHeaders(piped.headers), body: unpackBody(piped.body) }
    const { args, body = '', common, signature } = piped
    if (common !== undefined) this.#forms[piped.form] = new MessageForm(unpackHeaders(common), {})
    const message = (this.#forms[piped.form] as MessageForm).message(id, '', args === undefined ? body : joinBody(args, '{}'))
    if (signature !== undefined) message.signature = signature
    return message
  }
}

export function packBody(body: Content['body']): PipedBody {
  return typeof body === 'string' ? body : { base64: Buffer.from(body).toString('base64') }
}

export function unpackBody(body: PipedBody): Content['body'] {
  return typeof body === 'string' ? body : Buffer.from(body.base64, 'base64')
}

/** Python's may hold what the pipe's JSON refuses or rounds. */
function packHeaders(headers: Headers): PipedHeaders {
  const light = lightened(headers)
  return isPlainJson(light) ? light : serialize(light).toString('base64')
}

function unpackHeaders(headers: PipedHeaders): Headers {
  return typeof headers === 'string' ? (deserialize(Buffer.from(headers, 'base64')) as Headers) : headers
}

function lightened(headers: Headers): Headers {
  const light: Record<string, unknown> = {}
  for (const name in headers) {
    const value = headers[name]
    // A task that is its own root is so without being told.
    if (value === null || KEPT_BACK.has(name) || (name === 'root_id' && value === headers['id'])) continue
    light[name] = value
  }
  return light
}

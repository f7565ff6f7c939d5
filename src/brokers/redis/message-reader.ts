import { isDeepStrictEqual } from 'node:util'
import { readBody } from '../../protocol/envelope.ts'
import { parseJson } from '../../protocol/json.ts'
import { FORM_CONTENT, MessageForm, signatureOf } from '../../protocol/message-form.ts'
import { publishedIn, type ReadMessage, tryReadMessage } from './stored-message.ts'

/** Texts up to so many characters are compared with forms: reading what is longer takes its time in any case. */
const LONGEST = 16_384

/** Forms that are kept. */
const MOST_FORMS = 8

/** So many forms are learnt in a row. For each one more, so many messages have to be of a known one, or many more of none. */
const CREDIT = 8
const STRANGERS = 256

/**
 * Reads elements of a queue's list, those of a form that it has met before without looking at what is the same in all of them.
 *
 * A form is a pattern of the whole text: what is the same, to the letter, and in between the texts that are a message's own. So what fits
 * it is JSON, and says what the message said that it was learnt of, with its own texts in their places.
 */
export class MessageReader {
  /** The one that was met last is the first. */
  readonly #forms: TextForm[] = []
  #credit = CREDIT

  /** As {@link tryReadMessage}. */
  read(text: string): ReadMessage | string {
    if (text.length > LONGEST) return tryReadMessage(text)
    const known = this.#readKnown(text)
    if (known !== undefined) return known
    const read = tryReadMessage(text)
    this.#earn(1 / STRANGERS)
    if (typeof read !== 'string' && this.#credit >= 1) this.#learn(text, read)
    return read
  }

  #earn(credit: number): void {
    this.#credit = Math.min(CREDIT, this.#credit + credit)
  }

  #readKnown(text: string): ReadMessage | undefined {
    for (let index = 0; index < this.#forms.length; index += 1) {
      const read = this.#forms[index]?.read(text)
      if (read === undefined) continue
      if (index > 0) this.#forms.unshift(...this.#forms.splice(index, 1))
      this.#earn(1 / CREDIT)
      return read
    }
    return undefined
  }

  #learn(text: string, read: ReadMessage): void {
    this.#credit -= 1
    const form = TextForm.of(text, read)
    if (form !== undefined) this.#forms.unshift(form)
    if (this.#forms.length > MOST_FORMS) this.#forms.pop()
  }
}

/** What is a message's own, and what it may be: a number in JSON, or nothing that ends a text. */
const OWN = {
  published: String.raw`[1-9]\d{0,14}(?:\.\d{1,4})?`,
  body: '[A-Za-z0-9+/]*={0,2}',
  id: String.raw`[\w.:-]{1,255}`,
  argsrepr: String.raw`[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*`,
  signature: String.raw`[\w.-]*`,
  tag: String.raw`[^"\\\x00-\x1f]+`,
} as const

type Own = keyof typeof OWN

/** Where a text of a message's own stands. */
interface Place {
  readonly own: Own
  readonly from: number
  readonly to: number
}

/** What is put into the places of a text to see whether they are what they were taken for. */
const OTHERS: Readonly<Record<Own, string>> = {
  published: '1.5',
  body: Buffer.from('[["é"], {}, {}]').toString('base64'),
  id: 'another-id',
  argsrepr: String.raw`(\"another\", \u00e9)`,
  signature: 'v1.another',
  tag: 'another tag',
}

class TextForm {
  readonly #form: MessageForm
  readonly #pattern: RegExp
  /** The group of the pattern that takes each. */
  readonly #groups: Readonly<Record<Own, number>>
  readonly #losses: number

  private constructor(form: MessageForm, text: string, places: readonly Place[], losses: number) {
    const groups = { published: -1, body: -1, id: -1, argsrepr: -1, signature: -1, tag: -1 }
    let count = 0
    let pattern = '^'
    let at = 0
    for (const { own, from, to } of places) {
      const group = groups[own]
      if (group < 0) groups[own] = count += 1
      pattern += escaped(text.slice(at, from)) + (group < 0 ? `(${OWN[own]})` : `\\${group}`)
      at = to
    }
    this.#form = form
    this.#pattern = new RegExp(`${pattern}${escaped(text.slice(at))}$`, 's')
    this.#groups = groups
    this.#losses = losses
  }

  /** The form of a text; undefined where no pattern can tell what is a message's own. */
  static of(text: string, read: ReadMessage): TextForm | undefined {
    const form = MessageForm.of(read.message)
    const places = form && placesIn(text, read)
    if (form === undefined || places === undefined) return undefined
    const found = new TextForm(form, text, places, read.losses)
    return found.#isTrueOf(text, places) ? found : undefined
  }

  /** Undefined for what is of another form, or has to be looked at more closely. */
  read(text: string): ReadMessage | undefined {
    const groups = this.#pattern.exec(text)
    if (groups === null) return undefined
    const { argsrepr = '', body = '', id = '', published, signature } = this.#ownOf(groups)
    try {
      const decoded = readBody(body, FORM_CONTENT.contentEncoding, this.#form.headers)
      if (typeof decoded !== 'string') return undefined
      const message = this.#form.message(id, argsrepr.includes('\\') ? (JSON.parse(`"${argsrepr}"`) as string) : argsrepr, decoded)
      if (signature !== undefined) message.signature = signature
      return { message, losses: this.#losses, publishedAtMs: published === undefined ? undefined : Math.floor(Number(published)) }
    } catch {
      // Whoever looks more closely says what is wrong.
      return undefined
    }
  }

  #ownOf(found: RegExpExecArray): Partial<Record<Own, string>> {
    const { argsrepr, body, id, published, signature } = this.#groups
    return { argsrepr: found[argsrepr], body: found[body], id: found[id], published: found[published], signature: found[signature] } as Partial<Record<Own, string>>
  }

  /** Whether it reads the text with others in its places as it reads: what stands in one might have been found in another by chance. */
  #isTrueOf(text: string, places: readonly Place[]): boolean {
    let other = ''
    let at = 0
    for (const { own, from, to } of places) {
      other += text.slice(at, from) + OTHERS[own]
      at = to
    }
    other += text.slice(at)
    const mine = this.read(other)
    const careful = tryReadMessage(other)
    return mine !== undefined && typeof careful !== 'string' && isDeepStrictEqual(plain(mine), plain(careful))
  }
}

/** The places of a text that was read; undefined when one of them cannot be found without doubt. */
function placesIn(text: string, { message }: ReadMessage): readonly Place[] | undefined {
  const { body, properties } = parseJson(text) as { body: string; properties: { delivery_tag: string } }
  const { argsrepr, id } = message.headers
  const signature = signatureOf(message)
  const published = publishedIn(text)
  const places = [
    ...(published === undefined ? [] : [{ own: 'published' as const, ...published }]),
    ...quoted(text, 'body', body, 1),
    ...quoted(text, 'id', id, 3),
    ...quoted(text, 'argsrepr', argsrepr, 1),
    ...(signature === undefined ? [] : quoted(text, 'signature', signature, 1)),
    ...quoted(text, 'tag', properties.delivery_tag, 1),
  ].toSorted((a, b) => a.from - b.from)
  const count = 6 + (published === undefined ? 0 : 1) + (signature === undefined ? 0 : 1)
  return places.length === count ? places : undefined
}

/** Where a text stands within quotes, if it does so as often as is expected. */
function quoted(text: string, own: Own, value: unknown, times: number): Place[] {
  const literal = JSON.stringify(value)
  const places: Place[] = []
  for (let at = text.indexOf(literal); at >= 0; at = text.indexOf(literal, at + 1)) places.push({ own, from: at + 1, to: at + literal.length - 1 })
  return places.length === times ? places : []
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
}

function plain({ message, ...rest }: ReadMessage): object {
  const { body, contentEncoding, contentType, headers, properties } = message
  return { ...rest, body, contentEncoding, contentType, headers, properties }
}

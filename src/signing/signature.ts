import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { FormedMessage, type MessageForm } from '../protocol/message-form.ts'
import { canonical } from './canonical.ts'
import type { SigningKey } from './signing-key.ts'

export { SIGNATURE_HEADER } from '../protocol/message.ts'

/** Header that says where a function is to be found. Python passes it over. */
export const FUNCTION_HEADER: string = 'x-celeriac-function'

/** What of a message is needed to sign it: what decides which code runs, when, and on what data. */
export interface Signable {
  readonly headers: Readonly<Record<string, unknown>>
  readonly contentType: string
  /** Text counts as its UTF-8. */
  readonly body: string | Uint8Array
}

/** A signature taken apart. */
export interface ReadSignature {
  readonly keyId: string
  /** As it was written, for it is signed too. */
  readonly validUntil: string
  /** The same in milliseconds since 1970; infinite for ever. */
  readonly validUntilMs: number
  readonly mac: string
}

/** Something that a signature covers. Each purpose begins `head` with a word of its own, so none can pass for another. */
export interface Signed {
  /** Ends where `body` begins without doubt. */
  readonly head: string
  readonly body: string | Uint8Array
}

/** Signs a message; `validUntilMs` undefined is for ever. Headers may be null or absent alike. */
export function signMessage(message: Signable, key: SigningKey, validUntilMs: number | undefined): string {
  return sign(signedMessage(message), key, validUntilMs)
}

/** Signs a stored result, for its task alone. */
export function signResult(taskId: string, text: string, key: SigningKey): string {
  return sign(signedResult(taskId, text), key, undefined)
}

/** What the signature of a message covers. */
export function signedMessage(message: Signable): Signed {
  const { body } = message
  if (message instanceof FormedMessage) return { head: `message ${canonical(message.id)}${commonText(message)}`, body }
  return { head: `message ${canonical(message.headers['id'])}${textBesidesId(message.headers, message.contentType)}`, body }
}

function textBesidesId(headers: Signable['headers'], contentType: string): string {
  return (
    canonical(headers['task']) +
    canonical(headers['eta']) +
    canonical(headers['expires']) +
    canonical(contentType) +
    canonical(headers['compression']) +
    canonical(headers[FUNCTION_HEADER]) +
    canonical(headers['x-celeriac-acks-late'])
  )
}

const textsOfForms = new WeakMap<MessageForm, string>()

function commonText({ form, contentType }: FormedMessage): string {
  let text = textsOfForms.get(form)
  if (text === undefined) textsOfForms.set(form, (text = textBesidesId(form.headers, contentType)))
  return text
}

/** What the signature of a result covers. */
export function signedResult(taskId: string, text: string): Signed {
  return { head: `result ${canonical(taskId)}`, body: text }
}

/** Takes a signature apart; undefined when it is not of this form. */
export function readSignature(text: string): ReadSignature | undefined {
  const [, keyId, validUntil, mac] = /^v1\.([0-9a-f]{8})\.([0-9a-z]{0,11})\.([\w-]{43})$/.exec(text) ?? []
  if (keyId === undefined || validUntil === undefined || mac === undefined) return undefined
  return { keyId, validUntil, validUntilMs: validUntil === '' ? Infinity : Number.parseInt(validUntil, 36), mac }
}

/** Whether `key` signed exactly this. Takes as long for any wrong signature. */
export function isSignedBy(key: SigningKey, signature: ReadSignature, { head, body }: Signed): boolean {
  expected.write(computeMac(key, signature.validUntil, head, body), 'latin1')
  received.write(signature.mac, 'latin1')
  return timingSafeEqual(expected, received)
}

/** The length of a MAC as text. */
const MAC_LENGTH = 43
const expected = Buffer.alloc(MAC_LENGTH)
const received = Buffer.alloc(MAC_LENGTH)

function sign({ head, body }: Signed, key: SigningKey, validUntilMs: number | undefined): string {
  const validUntil = validUntilMs === undefined ? '' : Math.ceil(validUntilMs).toString(36)
  return `v1.${key.id}.${validUntil}.${computeMac(key, validUntil, head, body)}`
}

function computeMac(key: SigningKey, validUntil: string, head: string, body: string | Uint8Array): string {
  const text = `celeriac v1 ${key.id} ${validUntil} ${head}`
  const isShort = typeof body === 'string' && text.length + body.length <= SHORT
  return isShort ? shortMac(key, text + body) : createHmac('sha256', key.secret).update(text).update(body).digest('base64url')
}

const BLOCK = 64
/** Longest text that {@link shortMac} takes; no character has more than three bytes. */
const SHORT = 4096
const inner = Buffer.alloc(BLOCK + 3 * SHORT)
const outer = Buffer.alloc(BLOCK + 32)

/** The same HMAC as of two hashes (RFC 2104): making the object that `createHmac` gives costs as much as both. */
function shortMac({ innerPad, outerPad }: SigningKey, text: string): string {
  innerPad.copy(inner)
  outerPad.copy(outer)
  const end = BLOCK + inner.write(text, BLOCK, 'utf8')
  outer.write(hash('sha256', inner.subarray(0, end), 'binary'), BLOCK, 'binary')
  return hash('sha256', outer, 'base64url')
}

import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EncodeError } from '../../src/errors.ts'
import { joinBody } from '../../src/protocol/body.ts'
import { MessageForm } from '../../src/protocol/message-form.ts'
import { FUNCTION_HEADER, isSignedBy, readSignature, type Signable, signedMessage, signedResult, signMessage, signResult } from '../../src/signing/signature.ts'
import { signingKey } from '../../src/signing/signing-key.ts'
import { HEADERS, KEY, message } from './samples.ts'

const UNTIL_MS = Date.UTC(2026, 11, 20)
const SIGNED_TEXTS = ['id', 'task', 'eta', 'expires', 'compression']
const SIGNED_HEADERS = [...SIGNED_TEXTS, 'x-celeriac-function', 'x-celeriac-acks-late']

describe('the signature of a message', () => {
  test('is what the format says, reckoned by hand', () => {
    const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
    const keyId = sha256('celeriac key id\0correct horse battery staple').toString('hex').slice(0, 8)
    const covered =
      `celeriac v1 ${keyId} ${UNTIL_MS.toString(36)} message ` +
      't36:0199a1b2-7c3d-7000-8000-5c0ffee50000t13:src/tasks:addt32:2026-11-20T06:27:28.978000+00:00t32:2026-11-21T06:27:28.978000+00:00' +
      't16:application/jsont18:application/x-gzipo3:t1:mt14:./src/tasks.tst1:pa1:t3:addt1:tt1:mjtrue;[["é"], {}, null]'
    const mac = createHmac('sha256', sha256('celeriac signing key\0correct horse battery staple')).update(covered, 'utf8').digest('base64url')

    expect(signMessage(message({}, '[["é"], {}, null]'), KEY, UNTIL_MS)).toBe(`v1.${keyId}.${UNTIL_MS.toString(36)}.${mac}`)
  })

  test('is one HMAC for texts of any length, and for the same text as bytes', () => {
    for (const body of ['', 'short', 'é🦀'.repeat(700), 'x'.repeat(4_000), 'é'.repeat(5_000), 'x'.repeat(100_000)]) {
      const { head } = signedMessage(message({}, body))
      const [, keyId, , mac] = signMessage(message({}, body), KEY, undefined).split('.')
      const secret = createHash('sha256').update('celeriac signing key\0correct horse battery staple').digest()

      expect(mac).toBe(createHmac('sha256', secret).update(`celeriac v1 ${keyId}  ${head}`).update(body).digest('base64url'))
      expect(signMessage(message({}, Buffer.from(body)), KEY, undefined)).toContain(mac)
    }
  })

  test('of a message of a form is that of any other which says the same', () => {
    const input = { task: 'src/tasks:add', queue: 'q', origin: 'gen1@test', replyTo: 'reply', headers: { [FUNCTION_HEADER]: { t: 'm', p: ['add'] }, 'x-celeriac-acks-late': true } }
    const form = MessageForm.build(input)

    const messages = ['0199a1b2-7c3d-7000-8000-5c0ffee50000', '0199a1b2-7c3d-7000-8000-5c0ffee50001'].map((id) => form.message(id, '(1, 2)', joinBody('[1,2]', '{}')))

    for (const message of messages) {
      const { body, contentType, headers } = message
      expect(signMessage(message, KEY, UNTIL_MS)).toBe(signMessage({ body, contentType, headers }, KEY, UNTIL_MS))
    }
  })

  test('holds for the message that was signed', () => {
    fc.assert(fc.property(anyMessage(), fc.option(fc.nat(), { nil: undefined }), (any, until) => {
      expect(isValid(any, signMessage(any, KEY, until))).toBe(true)
    }))
  })

  test('breaks with any change to any text that is signed', () => {
    fc.assert(fc.property(anyMessage(), fc.constantFrom(...SIGNED_TEXTS, 'contentType', 'body'), fc.nat(), fc.nat(), (any, part, place, change) => {
      const changed = part === 'body' || part === 'contentType'
        ? { ...any, [part]: changeAt(String(any[part]), place, change) }
        : { ...any, headers: { ...any.headers, [part]: changeAt(String(any.headers[part]), place, change) } }

      expect(isValid(changed, signMessage(any, KEY, UNTIL_MS))).toBe(false)
    }))
  })

  test('breaks with one bit changed in a body of bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.integer({ min: 0, max: 7 }), (body, place, bit) => {
      const changed = Uint8Array.from(body)
      const at = place % body.length
      changed[at] = (changed[at] ?? 0) ^ (1 << bit)

      expect(isValid(message({}, changed), signMessage(message({}, body), KEY, undefined))).toBe(false)
    }))
  })

  test('breaks with one character changed in the signature itself', () => {
    const signature = signMessage(message(), KEY, UNTIL_MS)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.Ł'

    for (const at of signature.split('').keys()) {
      for (const other of alphabet) {
        if (other !== signature[at]) expect(isValid(message(), signature.slice(0, at) + other + signature.slice(at + 1))).toBe(false)
      }
    }
  })

  test.each<[string, unknown]>([
    ['another module', { t: 'm', m: './src/other.ts', p: ['add'] }],
    ['another path', { t: 'm', m: './src/tasks.ts', p: ['add', 'x'] }],
    ['another kind', { t: 'f', m: './src/tasks.ts', p: ['add'] }],
    ['one more field', { t: 'm', m: './src/tasks.ts', p: ['add'], x: 1 }],
    ['its text', '{"m":"./src/tasks.ts","p":["add"],"t":"m"}'],
    ['no function', null],
    ['what is no JSON', () => 1],
  ])('breaks when the function header becomes %s', (_title, header) => {
    const check = (): boolean => isValid(message({ 'x-celeriac-function': header }), signMessage(message(), KEY, UNTIL_MS))

    if (typeof header === 'function') expect(check).toThrow(EncodeError)
    else expect(check()).toBe(false)
  })

  test.each(SIGNED_HEADERS)('breaks when the header %s is taken away', (name) => {
    expect(isValid(message({ [name]: null }), signMessage(message(), KEY, UNTIL_MS))).toBe(false)
  })

  test('breaks when acks-late becomes false, or the text of what it was', () => {
    const signature = signMessage(message(), KEY, UNTIL_MS)

    expect(isValid(message({ 'x-celeriac-acks-late': false }), signature)).toBe(false)
    expect(isValid(message({ 'x-celeriac-acks-late': 'true' }), signature)).toBe(false)
  })

  test('breaks when text moves from one part to the next', () => {
    const signature = signMessage(message({ id: 'ab', task: 'cd' }), KEY, UNTIL_MS)

    for (const [id, task] of [['abc', 'd'], ['a', 'bcd'], ['abt2:cd', ''], ['cd', 'ab']]) expect(isValid(message({ id, task }), signature)).toBe(false)
    const withoutType: Signable = { headers: {}, contentType: '', body: 'application/json' }
    expect(isValid({ headers: {}, contentType: 'application/json', body: '' }, signMessage(withoutType, KEY, undefined))).toBe(false)
  })

  test('is another one under another key', () => {
    const other = signingKey('correct horse battery stapler')

    expect(other.id).not.toBe(KEY.id)
    expect(isSignedBy(other, read(signMessage(message(), KEY, UNTIL_MS)), signedMessage(message()))).toBe(false)
  })
})

describe('what may change on the way', () => {
  test.each(SIGNED_HEADERS)('is the header %s from null to absent and back', (name) => {
    const { [name]: _gone, ...rest } = HEADERS
    const absent: Signable = { ...message(), headers: rest }
    const none = message({ [name]: null })

    expect(signMessage(absent, KEY, UNTIL_MS)).toBe(signMessage(none, KEY, UNTIL_MS))
  })

  test('is the order of the keys of headers, and whatever else a journey as JSON does to them', () => {
    const turned = message({ 'x-celeriac-function': { p: ['add'], x: undefined, m: './src/tasks.ts', t: 'm' } })
    const journey = (any: Signable): Signable => ({ ...any, headers: JSON.parse(JSON.stringify(any.headers)) as Record<string, unknown> })

    expect(isValid(journey(turned), signMessage(message(), KEY, UNTIL_MS))).toBe(true)
    fc.assert(fc.property(anyMessage(), (any) => {
      expect(isValid(journey(any), signMessage(any, KEY, UNTIL_MS))).toBe(true)
    }))
  })

  test('is a body from text to its bytes and back', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (body) => {
      expect(signMessage(message({}, Buffer.from(body)), KEY, UNTIL_MS)).toBe(signMessage(message({}, body), KEY, UNTIL_MS))
    }))
  })

  test('is what people are shown', () => {
    expect(isValid(message({ argsrepr: '(...)', lang: null }), signMessage(message(), KEY, UNTIL_MS))).toBe(true)
  })
})

test('the signature of a result is for its task alone, and none of a message', () => {
  const signature = read(signResult('an id', '"a result"', KEY))

  expect(isSignedBy(KEY, signature, signedResult('an id', '"a result"'))).toBe(true)
  expect(isSignedBy(KEY, signature, signedResult('another id', '"a result"'))).toBe(false)
  expect(isSignedBy(KEY, signature, signedResult('an id', '"A result"'))).toBe(false)
  expect(isSignedBy(KEY, signature, signedMessage({ headers: { id: 'an id' }, contentType: '', body: '"a result"' }))).toBe(false)
})

test('a result cannot be made up whose signature would be that of a message', () => {
  const { head, body } = signedMessage(message({ id: 'an id' }))
  const text = head.slice(head.indexOf('an id') + 'an id'.length) + String(body)

  expect(isValid(message({ id: 'an id' }), signResult('an id', text, KEY))).toBe(false)
})

test('a signature is taken apart, and what is none is not', () => {
  const mac = 'x'.repeat(43)

  expect(readSignature(`v1.0123abcd.zz.${mac}`)).toEqual({ keyId: '0123abcd', validUntil: 'zz', validUntilMs: 1295, mac })
  expect(readSignature(`v1.0123abcd..${mac}`)?.validUntilMs).toBe(Infinity)
  for (const text of ['', mac, `v2.0123abcd..${mac}`, `v1.0123abcd.${mac}`, `v1.0123ABCD..${mac}`, `v1.0123abcd.-1.${mac}`, `v1.0123abcd..${mac}x`, `v1.0123abcd..${mac}\n`]) {
    expect(readSignature(text)).toBeUndefined()
  }
})

test('a header that is nested without end is refused rather than followed', () => {
  const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown

  expect(() => signMessage(message({ 'x-celeriac-function': deep }), KEY, undefined)).toThrow(EncodeError)
})

function isValid(any: Signable, text: string): boolean {
  const signature = readSignature(text)
  return signature !== undefined && signature.keyId === KEY.id && isSignedBy(KEY, signature, signedMessage(any))
}

function read(text: string): NonNullable<ReturnType<typeof readSignature>> {
  const signature = readSignature(text)
  if (signature === undefined) throw new Error(`Not a signature: ${text}`)
  return signature
}

function anyMessage(): fc.Arbitrary<Signable> {
  const text = fc.string({ unit: 'grapheme', minLength: 1 })
  return fc.record({
    headers: fc.record({
      ...Object.fromEntries(SIGNED_TEXTS.map((name) => [name, text])),
      'x-celeriac-function': fc.jsonValue({ maxDepth: 3 }),
      'x-celeriac-acks-late': fc.option(fc.boolean()),
    }),
    contentType: text,
    body: text,
  })
}

/** The text with one character replaced by another. */
function changeAt(text: string, place: number, change: number): string {
  const characters = Array.from(text)
  const at = place % characters.length
  const other = String.fromCodePoint(33 + (change % 90))
  characters[at] = other === characters[at] ? ' ' : other
  return characters.join('')
}

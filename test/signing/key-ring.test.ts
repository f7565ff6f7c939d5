import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { DecodeError, ImproperlyConfigured } from '../../src/errors.ts'
import { KeyRing, type KeyRingOptions, type KeySource, openKeyRing, processSecret } from '../../src/signing/key-ring.ts'
import { readSignature } from '../../src/signing/signature.ts'
import { signingKey } from '../../src/signing/signing-key.ts'
import { HEADERS, message, signed } from './samples.ts'

const OLD = 'the key of last year'
const NEW = 'the key of this year'
const NOW_MS = Date.UTC(2026, 10, 20)
const DAY_MS = 86_400_000

const folders: string[] = []

afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })))

describe('a message', () => {
  test('of a process with the same key is believed', () => {
    const sent = signed(message(), ring({ secretKey: NEW }).sign(message(), NOW_MS))

    expect(ring({ secretKey: NEW }).verify(sent, NOW_MS)).toBeUndefined()
  })

  test('without a signature is refused', () => {
    const { verify } = bound(ring({ secretKey: NEW }))

    for (const nothing of [undefined, null]) expect(verify(nothing)).toMatchObject({ reason: 'unsigned', detail: expect.stringContaining('is not signed') })
  })

  test.each([7, '', 'v1', { v: 1 }, `v9.${'x'.repeat(90)}`])('with %j for a signature is refused', (signature) => {
    const refusal = bound(ring({ secretKey: NEW })).verify(signature)

    expect(refusal).toMatchObject({ reason: 'malformed-signature', detail: expect.stringContaining('"v1.<key id>.<valid until>.<MAC>"') })
  })

  test('of a process with another key is refused, with the ids of the keys and what to do', () => {
    const sent = ring({ secretKey: OLD }).sign(message(), NOW_MS)

    const refusal = bound(ring({ secretKey: NEW })).verify(sent)

    expect(refusal?.reason).toBe('unknown-key')
    expect(refusal?.detail).toContain(`signed with the key ${signingKey(OLD).id}; this process knows ${signingKey(NEW).id}. Give every process the same CELERY_SECRET_KEY`)
    expect(refusal?.detail).not.toContain(NEW)
  })

  test('that was changed is refused', () => {
    const keys = ring({ secretKey: NEW })
    const signature = keys.sign(message(), NOW_MS)

    const refusal = keys.verify(signed(message({ task: 'src/tasks:drop' }), signature), NOW_MS)

    expect(refusal).toMatchObject({ reason: 'wrong-signature', detail: expect.stringContaining('changed on the way, or forged') })
  })

  test('with a header that nobody could have signed is refused, not tripped over', () => {
    const keys = ring({ secretKey: NEW })
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown

    const refusal = keys.verify(signed(message({ 'x-celeriac-function': deep }), keys.sign(message(), NOW_MS)), NOW_MS)

    expect(refusal?.reason).toBe('wrong-signature')
  })

  test('that is to be signed with an eta that is none is an error', () => {
    expect(() => ring({ secretKey: NEW }).sign(message({ eta: 'soon' }), NOW_MS)).toThrow(DecodeError)
  })
})

describe('the lifetime of a signature', () => {
  const withoutEta = message({ eta: null })

  test('begins when it is signed', () => {
    const keys = ring({ secretKey: NEW, signatureLifetimeMs: DAY_MS })
    const sent = signed(withoutEta, keys.sign(withoutEta, NOW_MS))

    expect(keys.verify(sent, NOW_MS + DAY_MS)).toBeUndefined()
    expect(keys.verify(sent, NOW_MS + DAY_MS + 1)).toEqual({ reason: 'signature-expired', detail: expect.stringContaining('was valid until 2026-11-21T00:00:00.000Z') })
  })

  test('begins at the eta of a message that has one to come', () => {
    const keys = ring({ secretKey: NEW, signatureLifetimeMs: DAY_MS })
    const later = message({ eta: '2027-01-01T00:00:00.000000+00:00' })
    const sent = signed(later, keys.sign(later, NOW_MS))

    expect(keys.verify(sent, Date.UTC(2027, 0, 2))).toBeUndefined()
    expect(keys.verify(sent, Date.UTC(2027, 0, 2) + 1)?.reason).toBe('signature-expired')
  })

  test('does not begin at an eta that has passed', () => {
    const keys = ring({ secretKey: NEW, signatureLifetimeMs: DAY_MS })
    const late = message({ eta: '2020-01-01T00:00:00.000000+00:00' })

    expect(keys.verify(signed(late, keys.sign(late, NOW_MS)), NOW_MS + DAY_MS)).toBeUndefined()
  })

  test('cannot be lengthened', () => {
    const keys = ring({ secretKey: NEW, signatureLifetimeMs: DAY_MS })
    const signature = keys.sign(withoutEta, NOW_MS)
    const until = readSignature(signature)?.validUntil ?? ''

    for (const longer of ['', 'zzzzzzzzz']) {
      expect(keys.verify(signed(withoutEta, signature.replace(`.${until}.`, `.${longer}.`)), NOW_MS)?.reason).toBe('wrong-signature')
    }
  })

  test('of 0 is for ever', () => {
    const keys = ring({ secretKey: NEW, signatureLifetimeMs: 0 })

    expect(keys.verify(signed(message(), keys.sign(message(), NOW_MS)), NOW_MS + 1e6 * DAY_MS)).toBeUndefined()
  })
})

describe('a key that is replaced', () => {
  test('is still accepted among the fallbacks, which do not sign', () => {
    const old = ring({ secretKey: OLD })
    const rotated = ring({ secretKey: NEW, secretKeyFallbacks: [OLD] })

    expect(bound(rotated).verify(old.sign(message(), NOW_MS))).toBeUndefined()
    expect(bound(old).verify(rotated.sign(message(), NOW_MS))?.reason).toBe('unknown-key')
  })

  test('stays accepted in a process that has known it, and the new one is seen within a second', () => {
    let texts: readonly string[] | undefined = [OLD]
    const keys = new KeyRing(sourceOf(() => texts), [], DAY_MS)
    const first = keys.sign(message(), NOW_MS)
    texts = [NEW]

    expect(keyOf(keys.sign(message(), NOW_MS + 999))).toBe(signingKey(OLD).id)
    expect(keyOf(keys.sign(message(), NOW_MS + 1000))).toBe(signingKey(NEW).id)
    expect(bound(keys).verify(first)).toBeUndefined()
  })

  test('is looked for at once when a message names one that is not known, but not again within a second', () => {
    let looks = 0
    let texts: readonly string[] | undefined = [OLD]
    const keys = new KeyRing(sourceOf(() => (looks++, texts)), [], DAY_MS)
    keys.sign(message(), NOW_MS)
    const ofNew = signed(message(), ring({ secretKey: NEW }).sign(message(), NOW_MS))
    const ofStranger = signed(message(), ring({ secretKey: 'the key of a stranger' }).sign(message(), NOW_MS))

    texts = [NEW, OLD]
    expect(keys.verify(ofNew, NOW_MS + 1)).toBeUndefined()
    for (let ms = 2; ms < 1001; ms++) expect(keys.verify(ofStranger, NOW_MS + ms)?.reason).toBe('unknown-key')
    expect(looks).toBe(2)

    keys.verify(ofStranger, NOW_MS + 1001)
    expect(looks).toBe(3)
  })

  test('is looked for when the clock was set back', () => {
    let texts: readonly string[] | undefined = [OLD]
    const keys = new KeyRing(sourceOf(() => texts), [], DAY_MS)
    keys.sign(message(), NOW_MS)
    texts = [NEW]

    expect(keyOf(keys.sign(message(), NOW_MS - DAY_MS))).toBe(signingKey(NEW).id)
  })

  test('goes on to be used while its source is broken, of which refusals tell', () => {
    let isBroken = false
    const keys = new KeyRing({ look: () => (isBroken ? fail() : [OLD]) }, [], DAY_MS)
    keys.sign(message(), NOW_MS)
    isBroken = true

    expect(keyOf(keys.sign(message(), NOW_MS + 5000))).toBe(signingKey(OLD).id)
    expect(bound(keys).verify(ring({ secretKey: NEW }).sign(message(), NOW_MS))?.detail).toContain('It is broken.')
  })

  test('is an error only where there never was one', () => {
    const keys = new KeyRing({ look: fail }, [OLD], DAY_MS)

    expect(() => keys.sign(message(), NOW_MS)).toThrow(new ImproperlyConfigured(['It is broken.']))
    expect(() => bound(keys).verify(ring({ secretKey: NEW }).sign(message(), NOW_MS))).toThrow(ImproperlyConfigured)
  })
})

describe('a result', () => {
  const keys = ring({ secretKey: NEW, signatureLifetimeMs: DAY_MS })
  const signature = keys.signResult('an id', '42', NOW_MS)

  test('is believed for its task only, and does not expire', () => {
    expect(keys.verifyResult('an id', '42', signature, NOW_MS + 1e6 * DAY_MS)).toBeUndefined()
    expect(keys.verifyResult('another id', '42', signature, NOW_MS)?.reason).toBe('wrong-signature')
    expect(keys.verifyResult('an id', '43', signature, NOW_MS)?.reason).toBe('wrong-signature')
    expect(keys.verifyResult('an id', '42', undefined, NOW_MS)?.reason).toBe('unsigned')
  })

  test('has a signature that no message can borrow', () => {
    expect(bound(keys).verify(signature)?.reason).toBe('wrong-signature')
    expect(keys.verifyResult('an id', '42', keys.sign({ headers: { id: 'an id' }, contentType: '', body: '42' }, NOW_MS), NOW_MS)?.reason).toBe('wrong-signature')
  })
})

describe('in memory', () => {
  test('the key is one of this process, and no file is touched', () => {
    const root = folder()
    const keys = ring({ inMemory: true, root, secretKeyFile: 'none.key' })

    expect(bound(ring({ inMemory: true, root })).verify(keys.sign(message(), NOW_MS))).toBeUndefined()
    expect(existsSync(join(root, '.celeriac'))).toBe(false)
    expect(bound(ring({ secretKey: processSecret() })).verify(keys.sign(message(), NOW_MS))).toBeUndefined()
  })

  test('a secret key that was given is used', () => {
    expect(bound(ring({ secretKey: NEW })).verify(ring({ inMemory: true, secretKey: NEW }).sign(message(), NOW_MS))).toBeUndefined()
  })
})

test('nothing is read before the first use', () => {
  const root = folder()

  const keys = ring({ root })
  expect(existsSync(join(root, '.celeriac'))).toBe(false)

  keys.sign(message(), NOW_MS)
  expect(existsSync(join(root, '.celeriac', 'secret.key'))).toBe(true)
})

function ring(options: Partial<KeyRingOptions>): KeyRing {
  const defaults = { secretKey: undefined, secretKeyFallbacks: [], secretKeyFile: undefined, signatureLifetimeMs: DAY_MS, root: '/nonexistent', inMemory: false }
  return openKeyRing({ ...defaults, ...options })
}

function bound(keys: KeyRing): { verify(signature: unknown): ReturnType<KeyRing['verify']> } {
  return { verify: (signature) => keys.verify({ ...message(), headers: { ...HEADERS, 'x-celeriac-signature': signature } }, NOW_MS) }
}

function sourceOf(texts: () => readonly string[] | undefined): KeySource {
  return { look: texts }
}

function keyOf(signature: string): string | undefined {
  return readSignature(signature)?.keyId
}

function fail(): never {
  throw new ImproperlyConfigured(['It is broken.'])
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'keys-'))
  folders.push(path)
  return path
}

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../../src/errors.ts'
import { serializerNamed } from '../../../src/protocol/serializers/open.ts'
import { readsOrRefuses, thrownBy } from '../attempt.ts'

const msgpack = serializerNamed('msgpack')

function read(...bytes: number[]): unknown {
  return msgpack.decode(Uint8Array.from(bytes))
}

function roundTrip(value: unknown): unknown {
  return (msgpack.decode(Buffer.from(msgpack.encodeList([value], ['value']))) as unknown[])[0]
}

/** What JSON holds, and bytes. */
const trees = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
    fc.double(),
    fc.maxSafeInteger(),
    fc.oneof(fc.bigInt(2n ** 53n, 2n ** 64n - 1n), fc.bigInt(-(2n ** 63n), -(2n ** 53n))),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie('tree')),
    fc.dictionary(fc.string(), tie('tree'), { noNullPrototype: true }),
  ),
})).tree

describe('msgpack', () => {
  test('gives back every tree', () => {
    const same = fc.property(trees, (tree) => isDeepStrictEqual(roundTrip([tree]), [withoutMinusZero(tree)]))
    expect(() => fc.assert(same, { numRuns: 500 })).not.toThrow()
  })

  test('writes each kind of number in a form of its own', () => {
    const bytes = (value: unknown): string => Buffer.from(msgpack.encodeList([value], ['value'])).toString('hex')
    expect(bytes(2 ** 32)).toBe('91d30000000100000000')
    expect(bytes(-(2 ** 32))).toBe('91d3ffffffff00000000')
    expect(bytes(2 ** 53)).toBe('91cb4340000000000000')
    expect(bytes(1.5)).toBe('91cb3ff8000000000000')
  })

  test.each([
    ['no bytes', [], 'it ends too early'],
    ['a text that is cut', [0xa5, 0x61], 'it ends too early'],
    ['a length that is cut', [0xdb, 0xff], 'it ends too early'],
    ['a text of 4 GB', [0xdb, 0xff, 0xff, 0xff, 0xff], 'it ends too early'],
    ['an array of 4 billion', [0xdd, 0xff, 0xff, 0xff, 0xff], 'it ends too early'],
    ['a map of 4 billion', [0xdf, 0xff, 0xff, 0xff, 0xff], 'it ends too early'],
    ['arrays in arrays, each too large', [0xdd, 0, 0, 0, 5, 0xdd, 0, 0, 0, 5], 'it ends too early'],
    ['bytes of 4 GB', [0xc6, 0xff, 0xff, 0xff, 0xff], 'it ends too early'],
    ['something after it', [1, 2], 'something follows it'],
    ['a byte that means nothing', [0xc1], 'it has a byte that means nothing'],
    ['text that is not UTF-8', [0xa2, 0xff, 0xfe], 'it has a text that is not UTF-8'],
    ['half a surrogate pair', [0xa3, 0xed, 0xa0, 0x80], 'it has a text that is not UTF-8'],
    ["msgpackr's own records, which are compiled", [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01], 'it has an extension type'],
    ["msgpackr's own errors", [0xc7, 0x01, 0x65, 0xc0], 'it has an extension type'],
    ['an extension of 4 GB', [0xc9, 0xff, 0xff, 0xff, 0xff, 0xff], 'it has an extension type'],
    ['a timestamp of the wrong length', [0xc7, 0x03, 0xff, 0, 0, 0], 'it has an extension type'],
    ['a key that is a list', [0x81, 0x90, 1], 'a key of an object is no text but a list'],
    ['nesting of 1,001 levels', [...Array.from({ length: 1001 }, () => 0x91), 1], 'it is nested deeper than 1000 levels'],
  ])('refuses %s', (_what, bytes, problem) => {
    expect(() => read(...bytes)).toThrow(DecodeError)
    expect(() => read(...bytes)).toThrow(`Cannot read msgpack: ${problem}`)
  })

  test('reads what other writers make of the same values', () => {
    expect(read(...Array.from({ length: 1000 }, () => 0x91), 1)).toBeInstanceOf(Array)
    expect(read(0xca, 0x3f, 0xc0, 0, 0)).toBe(1.5)
    expect(read(0xd3, 0, 0, 0, 0, 0, 0, 0, 5)).toBe(5)
    expect(read(0xd6, 0xff, 0, 0, 0, 1)).toEqual(new Date(1000))
    expect(read(0xc7, 12, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)).toEqual(new Date(1000))
    expect(read(0x82, 1, 2, 0xc0, 3)).toEqual({ 1: 2, null: 3 })
    expect(Object.getPrototypeOf(read(0x81, 0xa9, ...Buffer.from('__proto__'), 0x81, 0xa1, 0x78, 1))).toBe(Object.prototype)
  })

  test('does not keep what it has read from', () => {
    const bytes = Uint8Array.of(0xc4, 1, 65)
    const value = msgpack.decode(bytes)
    bytes.fill(0)
    expect(value).toEqual(Buffer.from('A'))
  })

  test('reads or refuses any bytes, and makes nothing but plain values', () => {
    const full = new Packr({ moreTypes: true, structuredClone: true })
    const written = fc.anything({ withDate: true, withMap: true, withSet: true, withTypedArray: true, withBigInt: true }).map((value) => {
      const bytes = thrownBy(() => full.pack(value)) === undefined ? full.pack(value) : Buffer.alloc(0)
      return new Uint8Array(bytes)
    })
    const harmless = fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), written), (bytes) => readsOrRefuses(() => msgpack.decode(bytes)))
    expect(() => fc.assert(harmless, { numRuns: 3000 })).not.toThrow()
  })
})

/** MessagePack could hold it, but the package writes 0. */
function withoutMinusZero(value: unknown): unknown {
  if (typeof value === 'number') return value === 0 ? 0 : value
  if (Array.isArray(value)) return value.map(withoutMinusZero)
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutMinusZero(item)]))
}

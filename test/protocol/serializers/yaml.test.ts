import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../../src/errors.ts'
import { serializerNamed } from '../../../src/protocol/serializers/open.ts'
import { readsOrRefuses } from '../attempt.ts'

const yaml = serializerNamed('yaml')

function read(text: string): unknown {
  return yaml.decode(Buffer.from(text))
}

function roundTrip(value: unknown): unknown {
  return (read(String(yaml.encodeList([value], ['value']))) as unknown[])[0]
}

const LAUGHS = ['a: &a [x, x, x, x, x, x, x, x, x]', ...Array.from('bcdefghi', (name, index) => `${name}: &${name} [${`*${'abcdefgh'[index] ?? ''}, `.repeat(9)}]`)].join('\n')

describe('yaml', () => {
  test('gives back every tree', () => {
    const trees = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, true, false),
        fc.string({ unit: 'binary' }),
        fc.double(),
        fc.maxSafeInteger(),
        fc.bigInt(2n ** 53n, 2n ** 200n),
        fc.date({ noInvalidDate: true, min: new Date('0100-01-01'), max: new Date('9999-12-31') }),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.array(tie('tree')),
        fc.dictionary(fc.string(), tie('tree'), { noNullPrototype: true }),
      ),
    })).tree
    const same = fc.property(trees, (tree) => isDeepStrictEqual(roundTrip([tree]), [tree]))
    expect(() => fc.assert(same, { numRuns: 300 })).not.toThrow()
  })

  test.each([
    ['yes', true],
    ['Off', false],
    ['y', 'y'],
    ['1e3', '1e3'],
    ['1.0e+3', 1000],
    ['089', '089'],
    ['017', 15],
    ['0x1F', 31],
    ['-0b101', -5],
    ['1_000', 1000],
    ['0_', 0],
    ['1:30', 90],
    ['1:30.5', 90.5],
    ['-.5', -0.5],
    ['.inf', Infinity],
    ['~', null],
    ['', null],
    ['=', '='],
    ['2026-1-5', '2026-1-5'],
    ['2026-01-05', new Date('2026-01-05T00:00:00Z')],
    ['2026-1-5 1:02:03.5 +2', new Date('2026-01-04T23:02:03.500Z')],
    ['2026-01-05t01:02:03Z', new Date('2026-01-05T01:02:03Z')],
    ['!!str 5', '5'],
    ['!!binary "AP8="', Buffer.from([0, 255])],
    ['!!set {a, b}', new Set(['a', 'b'])],
    ['{<<: {a: 1}, b: 2}', { a: 1, b: 2 }],
    ['[&a [1], *a]', [[1], [1]]],
    ['{? x : 2}', { x: 2 }],
  ])('reads %s as PyYAML does', (text, value) => {
    expect(read(text)).toEqual(value)
  })

  test.each([
    ['an object of Python', '!!python/object/apply:os.system ["id"]'],
    ['a tag of its own', '!thing 5'],
    ['two documents', '--- 1\n--- 2'],
    ['an alias to nothing', '*a'],
    ['text that is no number', '!!int x'],
    ['a day that is none', '2026-02-30'],
    ['a number of 5,000 digits', '9'.repeat(5000)],
    ['a billion laughs', LAUGHS],
    ['itself in itself', '&a [*a]'],
    ['10,000 levels of brackets', '['.repeat(10_000)],
    ['5,000 levels that are closed', '['.repeat(5000) + ']'.repeat(5000)],
    ['10,000 levels of dashes', '- '.repeat(10_000)],
    ['a key that is a list', '{? [1] : 2}'],
    ['what is not YAML', '{]'],
    ['more values than one can read in good time', '- 1\n'.repeat(250_000)],
  ])('refuses %s', (_what, text) => {
    expect(() => read(text)).toThrow(DecodeError)
    expect(() => read(text)).toThrow(/^Cannot read yaml: .+\.$/)
  })

  test('refuses bytes that are not UTF-8', () => {
    expect(() => yaml.decode(Uint8Array.of(0x22, 0xff, 0x22))).toThrow('Cannot read the body: expected UTF-8 text')
  })

  test('refuses to write what would be refused, and what cannot travel, with its path', () => {
    expect(() => yaml.encodeList([Array.from({ length: 500_000 }, () => 1)], ['args'])).toThrow('args holds more values than yaml is fit for; use json or msgpack')
    expect(() => yaml.encodeList([[{ a: /x/ }]], ['args'])).toThrow('args[0].a is a RegExp, which cannot travel')
  })

  test('reads long texts', () => {
    expect(read(`"${'x '.repeat(2 ** 22)}"`)).toHaveLength(2 ** 23)
  })

  test('takes what others have written twice for a copy', () => {
    const [first, second] = read('[&a [1], *a]') as unknown[]
    expect(first).not.toBe(second)
  })

  test('keeps a key __proto__ an ordinary key', () => {
    const value = read('{__proto__: {x: 1}, <<: {__proto__: {y: 1}}}') as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as { x?: unknown }).x).toBeUndefined()
  })

  test('reads or refuses any text', () => {
    const pieces = fc.constantFrom('- ', '? ', ': ', '&a ', '*a', '[', ']', '{', '}', '!!int ', '!!set ', '!!binary ', '!!timestamp ', '<<', '"', "'", '|\n', '>', '\n', '  ', 'x', '1:30', '2026-01-01', '#', '%', '---\n')
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.array(pieces).map((parts) => parts.join('')))
    const harmless = fc.property(text, (content) => readsOrRefuses(() => read(content)))
    expect(() => fc.assert(harmless, { numRuns: 2000 })).not.toThrow()
  })
})

import { createReadStream } from 'node:fs'
import { Socket } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError, EncodeError } from '../../src/errors.ts'
import { parseJson, stringifyJson } from '../../src/protocol/json.ts'
import { readsOrRefuses, thrownBy } from './attempt.ts'

/** Values that travel as they are: -0 is 0, and a BigInt is beyond 2^53. */
const travelling = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double().map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.integer(),
    fc.bigInt().filter((integer) => integer > 2n ** 53n || integer < -(2n ** 53n)),
    fc.boolean(),
    fc.constant(null),
  ),
  tree: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('tree'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__'), fc.constant('NaN')), tie('tree'), { maxKeys: 5, noNullPrototype: true }),
  ),
})).tree

describe('stringifyJson and parseJson', () => {
  test('give back every JSON tree', () => {
    const comesBack = fc.property(travelling, (value) => isDeepStrictEqual(parseJson(stringifyJson(value, 'value')), value))
    expect(() => fc.assert(comesBack, { numRuns: 500 })).not.toThrow()
  })

  test('keep a large number a number and a BigInt a BigInt', () => {
    const values = [2 ** 53, 1e20, 1e21, -(2 ** 60), 2n ** 64n, -(2n ** 70n), 9007199254740993n]
    expect(parseJson(stringifyJson(values, 'values'))).toEqual(values)
  })

  test('keep lone surrogates and strings that look like tokens', () => {
    const values = ['\ud800', 'NaN', '"NaN', '\\', '\\"Infinity', '12345678901234567890', NaN, Infinity, -Infinity]
    expect(parseJson(stringifyJson(values, 'values'))).toEqual(values)
  })
})

describe('stringifyJson', () => {
  test('drops undefined properties and writes undefined itself as null', () => {
    expect(stringifyJson({ a: undefined, b: 1 }, 'value')).toBe('{"b":1}')
    expect(stringifyJson({ a: undefined, b: NaN }, 'value')).toBe('{"b":NaN}')
    expect(stringifyJson(undefined, 'value')).toBe('null')
  })

  test('writes what Python writes beyond JSON', () => {
    expect(stringifyJson([NaN, Infinity, -Infinity, 2n ** 64n], 'value')).toBe('[NaN,Infinity,-Infinity,18446744073709551616]')
  })

  test('takes shared references, objects without a prototype, and those of another realm', () => {
    const shared = { a: 1 }
    const foreign = Object.setPrototypeOf({ b: 2 }, Object.defineProperties(Object.create(null), Object.getOwnPropertyDescriptors(Object.prototype)))
    expect(stringifyJson([shared, shared, Object.assign(Object.create(null), shared), foreign], 'value')).toBe('[{"a":1},{"a":1},{"a":1},{"b":2}]')
  })

  test('does not call toJSON', () => {
    const hidden = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 'changed', enumerable: false })
    expect(stringifyJson(hidden, 'value')).toBe('{"a":1}')
    expect(() => stringifyJson({ toJSON: () => 'changed' }, 'value')).toThrow('value.toJSON is the function "toJSON"')
  })

  const raise = (): never => {
    throw new Error('nothing to see here')
  }
  class Money {
    amount = 1
  }
  const circular: { name: string; self?: unknown } = { name: 'x' }
  circular.self = [circular]

  test.each([
    ['[0].file', [{ file: createReadStream(import.meta.filename) }], 'is a ReadStream, which cannot travel to another process; pass its path and open it inside the task'],
    ['[0]', [new Socket()], 'is a Socket, which cannot travel to another process; pass the host and port and connect inside the task'],
    ['.when', { when: new Date(0) }, 'is a Date, which cannot travel to another process; pass date.toISOString() or date.getTime()'],
    ['["content-type"]', { 'content-type': new Map() }, 'is a Map, which'],
    ['[1][0]', [0, [new Set()]], 'is a Set, which cannot travel to another process; pass [...set]'],
    ['[0]', [Buffer.from('x')], 'is a Buffer, which cannot travel to another process; pass buffer.toString(\'base64\')'],
    ['[0]', [new Uint8Array(1)], 'is an Uint8Array, which cannot travel to another process; pass Array.from(array)'],
    ['.error', { error: new RangeError('x') }, 'is a RangeError, which cannot travel to another process; pass error.message'],
    ['[0]', [Promise.resolve()], 'is a Promise, which cannot travel to another process; await it first'],
    ['[0]', [/x/], 'is a RegExp, which cannot travel to another process; pass its source'],
    ['[0]', [new Money()], 'is a Money, which cannot travel to another process; pass a plain object with the data'],
    ['[0]', [Money], 'is the class "Money", which'],
    ['.done', { done: function finish() {} }, 'is the function "finish", which cannot travel to another process; pass the data'],
    ['[0]', [Symbol('x')], 'is a symbol, which'],
    ['[1]', [1, undefined], 'is undefined, which cannot travel to another process; use null in a list'],
    // oxlint-disable-next-line no-sparse-arrays -- the hole is what is tested
    ['[1]', [1, , 2], 'is undefined, which'],
    ['.n', { n: 5n }, 'is a BigInt that an ordinary number can hold, which cannot travel to another process; pass Number(value)'],
    ['[0].self[0]', [circular], 'is a circular reference to args[0], which JSON cannot hold; pass an id'],
    ['[0]', [new Proxy(new Money(), { get: () => raise() })], 'is a Proxy, which'],
    ['[0]', [Object.create(Object.create(null) as object)], 'is an object without a class, which'],
  ])('refuses what is at %s, and says where, what and what to do', (path, value, message) => {
    const error = thrownBy(() => stringifyJson(value, 'args')) as EncodeError

    expect(error).toBeInstanceOf(EncodeError)
    expect(error.path).toBe(`args${path}`)
    expect(error.message).toContain(`args${path} ${message}`)
  })

  test('refuses what is nested too deeply for other readers', () => {
    const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)])
    expect(stringifyJson(deep(500), 'value')).toHaveLength(1001)
    expect(() => stringifyJson(deep(501), 'value')).toThrow(/nested deeper than 500 levels, which other readers refuse; flatten it/)
    expect(() => stringifyJson(10n ** 5000n, 'value')).toThrow(/more than 4300 digits/)
  })
})

describe('parseJson', () => {
  test('makes __proto__ an ordinary key', () => {
    for (const text of ['{"__proto__": {"admin": true}}', '{"__proto__": {"admin": true}, "n": NaN}']) {
      const value = parseJson(text) as { admin?: unknown }
      expect(value.admin).toBeUndefined()
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    }
  })

  test('reads long fractions as the numbers they are', () => {
    expect(parseJson('[0.30000000000000004, 1234567890123456.5, 9007199254740992e2]')).toEqual([0.30000000000000004, 1234567890123456.5, 900719925474099200])
  })

  test.each(['', 'hello', '[1', '{"a" 1}', '5Infinity', '-NaN', 'NaN5', '[NaN', '--Infinity', '"NaN', '1 2345678901234567890', `1${'0'.repeat(4300)}`])(
    'refuses %j',
    (text) => {
      expect(() => parseJson(text, 'the body')).toThrow(DecodeError)
      expect(() => parseJson(text, 'the body')).toThrow(/^Cannot read the body: expected a JSON text, got /)
    },
  )

  test('refuses what is nested deeper than Python can write, whatever is in its strings', () => {
    const nested = (levels: number): string => `${'['.repeat(levels)}"]]\\"[["${']'.repeat(levels)}`
    expect(parseJson(nested(1000))).toBeDefined()
    expect(() => parseJson(nested(1001))).toThrow('nested deeper than 1000 levels')
    expect(() => parseJson('['.repeat(1_000_000))).toThrow(DecodeError)
  })

  test('never throws anything but a DecodeError', () => {
    const pieces = fc.constantFrom('[', ']', '{', '}', '"', '\\', ':', ',', 'NaN', 'Infinity', '-', '1', '1234567890123456789', 'e5', '.', ' ', 'a', '\n', '__proto__')
    const text = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(''))
    expect(() => fc.assert(fc.property(text, (input) => readsOrRefuses(() => parseJson(input))), { numRuns: 2000 })).not.toThrow()
  })
})

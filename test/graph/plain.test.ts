import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { arePlainTrees, isPlainTree } from '../../src/graph/plain.ts'
import { parseJson } from '../../src/protocol/json.ts'

test('what is plain comes back from JSON as it was', () => {
  const comesBack = fc.property(fc.anything({ withDate: true, withMap: true, withBigInt: true, withSparseArray: true, withNullPrototype: true }), (value) => {
    return !isPlainTree(value) || isDeepStrictEqual(parseJson(JSON.stringify(value)), value)
  })

  expect(() => fc.assert(comesBack, { numRuns: 2_000 })).not.toThrow()
})

test('a tree of plain objects and arrays is plain, however often a scalar is in it', () => {
  expect(isPlainTree({ a: [1, 'b', { c: null, d: [true, []] }], 'e f': {} })).toBe(true)
  expect(isPlainTree(Array.from({ length: 50 }, (_, id) => ({ id, tags: ['a'] })))).toBe(true)
})

test('what a getter gives is plain, and a key that is a symbol does not count, as for JSON', () => {
  expect(isPlainTree({ get a(): number { return 1 }, [Symbol.for('b')]: 2 })).toBe(true)
  expect(isPlainTree({ get a(): Date { return new Date(0) } })).toBe(false)
})

const shared = { a: 1 }

test.each([
  ['undefined', undefined],
  ['-0', -0],
  ['NaN', [Number.NaN]],
  ['a whole number beyond 2^53', { n: 2 ** 53 }],
  ['a BigInt', [1n]],
  ['a hole', [1, , 2]], // oxlint-disable-line no-sparse-arrays -- holes are what this is about
  ['an undefined member', { a: undefined }],
  ['a further key of an array', Object.assign([1], { index: 0 })],
  ['a hidden property', Object.defineProperty({}, 'a', { value: 1, enumerable: false })],
  ['an inherited property', Object.create({ a: 1 })],
  ['an object without prototype', Object.create(null)],
  ['an own toJSON that is called', { toJSON: () => 1 }],
  ['a Date', new Date()],
  ['a function', [() => 1]],
  ['an array of a subclass', [new (class extends Array {})()]],
  ['an object that is held twice', { a: shared, b: [shared] }],
  ['an object held twice among many', [...Array.from({ length: 30 }, () => ({})), shared, [shared]]],
])('%s is not plain', (_what, value) => {
  expect(isPlainTree(value)).toBe(false)
  expect(isPlainTree({ deep: [value] })).toBe(false)
  expect(arePlainTrees([1, value])).toBe(false)
})

test('a circle is not plain', () => {
  const circle: unknown[] = []
  circle.push({ circle })

  expect(isPlainTree(circle)).toBe(false)
  expect(arePlainTrees([circle])).toBe(false)
})

test('an object that two arguments hold is not plain', () => {
  expect(arePlainTrees([shared, 1, { shared }])).toBe(false)
  expect(arePlainTrees([shared, 1, { a: 1 }])).toBe(true)
})

test('nesting beyond 500 levels is left to the graph', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])

  expect(isPlainTree(nested(500))).toBe(true)
  expect(isPlainTree(nested(501))).toBe(false)
})

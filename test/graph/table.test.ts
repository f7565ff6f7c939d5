import { resolve } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { readGraph, readGraphText } from '../../src/graph/read.ts'
import { NO_TYPES } from '../../src/graph/types.ts'
import { writeGraph } from '../../src/graph/write.ts'

const root = resolve(import.meta.dirname, '../..')
const reading = { root, types: NO_TYPES, allowCode: false }

/** What was added to the prototype of all objects. */
let inherited: string | undefined
afterEach(() => {
  if (inherited !== undefined) Reflect.deleteProperty(Object.prototype, inherited)
  inherited = undefined
})

function written(value: unknown): string {
  return writeGraph(value, { root, path: 'args', types: NO_TYPES, classesByValue: true }).text
}

/** The first node of what is written. */
function nodeOf(value: unknown): Record<string, unknown> | undefined {
  const { n } = JSON.parse(written(value)) as { readonly n: readonly Record<string, unknown>[] }
  return n[0]
}

const rows = Array.from({ length: 20 }, (_, id) => ({ id, name: `user ${id}`, tags: ['a'] }))

test('rows of the same keys are written as columns, and what is unlike them beside', () => {
  const { t, k, j, x, v } = nodeOf([...rows, new Date(0), { id: 1 }]) ?? {}

  expect({ t, k, x, v }).toEqual({ t: 'c', k: ['id', 'name', 'tags'], x: [20, 21], v: [['r', 1], ['l', { id: 1 }]] })
  expect(j).toEqual([rows.map((row) => row.id), rows.map((row) => row.name), rows.map((row) => row.tags)])
})

test.each([
  ['few rows', [...rows.slice(0, 7), 1n]],
  ['rows of different keys', [...rows.map(({ id }) => ({ [`key${id}`]: id })), 1n]],
  ['fewer rows than other values', [...rows.slice(0, 9), ...Array.from({ length: 10 }, () => 1), 1n]],
  ['rows with a key __proto__', [...rows.map(({ id }) => JSON.parse(`{"a":1,"__proto__":${id}}`) as unknown), 1n]],
  ['rows with a key that looks like an index', [...rows.map(({ id }) => ({ a: id, 0: id })), 1n]],
  ['rows without keys', [...rows.map(() => ({})), 1n]],
  ['lists', [...rows.map(({ id }) => [id]), 1n]],
])('%s are no table', (_what, values) => {
  expect(nodeOf(values)?.['t']).toBe('a')
})

test('a row that was changed after it was read leaves the others alone', async () => {
  const came = (await readGraphText(written([...rows, 1n]), reading)) as { id: unknown; tags: unknown[] }[]

  came[0]?.tags.push('b')
  if (came[1] !== undefined) came[1].id = 'changed'

  expect(came.slice(2)).toEqual([...rows.slice(2), 1n])
  expect(came[1]?.tags).toEqual(['a'])
})

test('a table holds itself', async () => {
  const values: unknown[] = [...rows]
  values.push(values)

  const came = (await readGraphText(written(values), reading)) as unknown[]

  expect(came[20]).toBe(came)
  expect(came.slice(0, 20)).toEqual(rows)
})

test('a getter of a row is written as the value that it gives', async () => {
  const values = [...rows.map(({ id }) => ({ get a(): number { return id } })), 1n]

  const came = (await readGraphText(written(values), reading)) as unknown[]

  expect(came.slice(0, 3)).toEqual([{ a: 0 }, { a: 1 }, { a: 2 }])
})

test('no setter is called that all objects inherit', async () => {
  const called: unknown[] = []
  inherited = 'name'
  const text = written([...rows, 1n])
  const note = (value: unknown): void => {
    called.push(value)
  }
  Object.defineProperty(Object.prototype, inherited, { set: note, configurable: true })

  const came = (await readGraphText(text, reading)) as unknown[]

  expect(called).toEqual([])
  expect(Object.getOwnPropertyDescriptor(came[3], 'name')).toEqual({ value: 'user 3', writable: true, enumerable: true, configurable: true })
})

const right = { t: 'c', k: ['a', 'b'], j: [[1, 2], [3, 4]], x: [0, 3], v: [true, ['u']] }

test('a table is read from its columns', async () => {
  expect(await readGraph({ v: 1, n: [right], r: ['r', 0] }, reading)).toEqual([true, { a: 1, b: 3 }, { a: 2, b: 4 }, undefined])
  expect(await readGraph({ v: 1, n: [{ ...right, j: [[], []], x: [0, 1] }], r: ['r', 0] }, reading)).toEqual([true, undefined])
})

test.each([
  ['no names', { k: undefined }, /n\[0\]\.k: expected the names of columns/],
  ['no columns', { k: [], j: [] }, /n\[0\]\.k: expected the names of columns/],
  ['a name that is none', { k: ['a', 1] }, /n\[0\]\.k: expected the names of columns/],
  ['the name __proto__', { k: ['a', '__proto__'] }, /n\[0\]\.k: expected the names of columns/],
  ['an index as a name', { k: ['a', '0'] }, /n\[0\]\.k: expected the names of columns/],
  ['too few columns', { j: [[1, 2]] }, /n\[0\]\.j: expected a column for each name/],
  ['columns of different lengths', { j: [[1, 2], [3]] }, /n\[0\]\.j: expected a column for each name/],
  ['a hole among the names', { k: ['a', , 'c'] }, /n\[0\]\.k: expected the names of columns/], // oxlint-disable-line no-sparse-arrays -- a document may come without JSON
  ['a hole among the columns', { j: [[1, 2], ,] }, /n\[0\]\.j: expected a column for each name/], // oxlint-disable-line no-sparse-arrays -- a document may come without JSON
  ['a column that is none', { j: [[1, 2], { length: 2 }] }, /n\[0\]\.j: expected a column for each name/],
  ['no places', { x: undefined }, /n\[0\]\.x: expected the places/],
  ['a place too few', { x: [0] }, /n\[0\]\.x: expected the places/],
  ['a place too far', { x: [0, 4] }, /n\[0\]\.x: expected the places/],
  ['places that fall', { x: [3, 0] }, /n\[0\]\.x: expected the places/],
  ['the same place twice', { x: [1, 1] }, /n\[0\]\.x: expected the places/],
  ['a value that is none', { v: [true, {}] }, /n\[0\]\.v: expected a value/],
  ['code where none is allowed', { v: [true, ['r', 1]] }, /n\[1\]: it holds a function/],
])('a table with %s is refused', async (_what, change, message) => {
  const code = { t: 'f', c: { s: '() => 1', n: '', l: 0 }, k: [], w: [] }

  await expect(readGraph({ v: 1, n: [{ ...right, ...change }, ...('v' in change ? [code] : [])], r: ['r', 0] }, reading)).rejects.toThrow(message)
})

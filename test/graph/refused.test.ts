import { EventEmitter } from 'node:events'
import { createReadStream } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { EncodeError } from '../../src/errors.ts'
import { isPlainTree } from '../../src/graph/plain.ts'
import { readGraphText } from '../../src/graph/read.ts'
import { NO_TYPES } from '../../src/graph/types.ts'
import { writeGraph } from '../../src/graph/write.ts'
import { Account, type Pool, pool, poolUser, settings, settingsUser } from './fixtures/shapes.ts'

const root = resolve(import.meta.dirname, '../..')

function write(value: unknown): string {
  return writeGraph(value, { root, path: 'args', types: NO_TYPES, classesByValue: true }).text
}

let counted = 0

class Counter extends Map {}
class Emitter extends EventEmitter {}

const rows: readonly (readonly [title: string, value: unknown, message: RegExp])[] = [
  ['a socket deep inside', [{ o: { a: { b: [{ s: new Socket() }] } } }], /^args\[0\]\.o\.a\.b\[0\]\.s is a Socket, which cannot travel/],
  ['a stream', { file: createReadStream(import.meta.filename) }, /^args\.file is a ReadStream.*pass its path/],
  ['an emitter of its own class', [new Emitter()], /^args\[0\] is an Emitter/],
  ['a promise', [Promise.resolve(1)], /^args\[0\] is a Promise.*await it first/],
  ['a WeakMap', [new WeakMap()], /^args\[0\] is a WeakMap/],
  ['a WeakRef', [new WeakRef({})], /^args\[0\] is a WeakRef/],
  ['an AbortSignal', [new AbortController().signal], /^args\[0\] is an AbortSignal/],
  ['a Blob', [new Blob(['x'])], /^args\[0\] is a Blob/],
  ['a boxed number', [Object(1)], /^args\[0\] is a Number/],
  ['a unique symbol', { s: Symbol('mine') }, /^args\.s is Symbol\(mine\), which is unique to this process/],
  ['a proxy', [new Proxy({}, {})], /^args\[0\] is a Proxy/],
  ['a proxy in plain data', { deep: { list: [new Proxy([], {})] } }, /^args\.deep\.list\[0\] is a Proxy/],
  ['a proxy of a function', [new Proxy(() => 1, {})], /^args\[0\] is a Proxy/],
  ['an object of no class', [Object.create({ a: 1 })], /^args\[0\] is an object with a prototype of its own/],
  ['a function that cannot travel', [{ run: () => void counted++ }], /^args\[0\]\.run cannot travel to another process: The function "run" assigns to the variable "counted"/],
  ['a generator', [(function* () { yield 1 })()], /^args\[0\] is/],
  ['an iterator', [new Map().values()], /^args\[0\] is/],
  ['arguments', [(function (..._args: unknown[]) { return arguments })(1)], /^args\[0\] is an arguments object/],
  ['a module', [createRequire(import.meta.url)('./fixtures/shapes.ts')], /^args\[0\] is a whole module/],
  ['an instance with private members', { a: new Account() }, /^args\.a has the private member #balance of the class Account.*register Account as a type/],
  ['a subclass of a built-in class', [new Counter()], /^args\[0\] is a Counter/],
  ['a Map with a property', [Object.assign(new Map(), { extra: 1 })], /^args\[0\] is a Map with a property of its own, extra/],
  ['a value in a Map', new Map([['k', Promise.resolve()]]), /^args\.get\("k"\) is a Promise/],
  ['shared memory', [new SharedArrayBuffer(8)], /^args\[0\] is a SharedArrayBuffer/],
  ['a view of shared memory', [new Uint8Array(new SharedArrayBuffer(8))], /^args\[0\] is an Uint8Array/],
  ['an array that is mostly holes', [Object.assign([], { length: 1e9 })], /^args\[0\] is an array with 1000000000 holes/],
  ['a timer', [setTimeout(() => {}, 0).unref()], /^args\[0\] is a Timeout/],
]

test.each(rows)('%s is refused with the path to it', (_title, value, message) => {
  expect(() => write(value)).toThrow(message)
  expect(() => write(value)).toThrow(EncodeError)
  expect(isPlainTree(value)).toBe(false)
})

test('the elements of a call are named as people know them', () => {
  const options = { root, path: 'call', names: ['args', 'kwargs'], types: NO_TYPES, classesByValue: true }

  expect(() => writeGraph([[], { x: [Promise.resolve()] }], options)).toThrow(/^kwargs\.x\[0\] is a Promise/)
})

test('what a function captures is named by its variable, with the place of the function', () => {
  const connection = { deep: [new Socket()] }
  const send = (): unknown => connection

  expect(() => write([send])).toThrow(/^variable "connection"\.deep\[0\] of the function send \(test\/graph\/refused\.test\.ts:\d+\) is a Socket/)
})

test('data is read as JSON reads it: getters once, and no keys that are symbols', async () => {
  const sent = { at: new Date(0), deep: { get now(): number { return 7 }, [Symbol.for('k')]: 1 } }

  const came = await readGraphText(write(sent), { root, types: NO_TYPES, allowCode: false })

  expect(came).toStrictEqual({ at: new Date(0), deep: { now: 7 } })
})

test('of what a function captures neither is left out, for its code may use it later', () => {
  const clock = { get now(): number { return Date.now() } }
  const tagged = { deep: { [Symbol.for('k')]: 1 } }

  expect(() => write(() => clock)).toThrow(/^variable "clock"\.now of .* is a getter, which would no longer be called/)
  expect(() => write(() => tagged)).toThrow(/^variable "tagged"\.deep of .* has a key that is a symbol, Symbol\(k\)/)
})

test('a captured object that cannot be copied goes by reference where a module exports it', async () => {
  const text = write(poolUser())

  const copy = (await readGraphText(text, { root, types: NO_TYPES, allowCode: true })) as () => [string, Pool]

  expect(copy()[1]).toBe(pool)
})

test('so does one that is plain but for a getter', async () => {
  const text = write(settingsUser())

  const copy = (await readGraphText(text, { root, types: NO_TYPES, allowCode: true })) as () => unknown

  expect(copy()).toBe(settings)
})

test('a graph is refused where all arrays have a toJSON', () => {
  Object.defineProperty(Array.prototype, 'toJSON', { value: () => 'patched', configurable: true })
  try {
    expect(() => write([1])).toThrow(/given arrays a toJSON/)
    expect(isPlainTree([1])).toBe(false)
  } finally {
    Reflect.deleteProperty(Array.prototype, 'toJSON')
  }
})

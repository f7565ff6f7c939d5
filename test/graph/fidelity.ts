import { Buffer } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import { double, PaymentError, Point, Point3 } from './fixtures/shapes.ts'

/** One kind of value, and what comes of it in another process. */
export interface FidelityRow {
  readonly title: string
  /** Made anew for each use. */
  readonly value: () => unknown
  /** Whether what came is what was sent. Default: deeply and strictly equal, with -0 and holes told apart. */
  readonly check?: (came: unknown, sent: unknown) => boolean
  /** As a result it is refused, with a message like this. */
  readonly refusedAsResult?: RegExp
}

/** A class that no module exports. */
class Local {
  readonly label: string

  constructor(label: string) {
    this.label = label
  }

  shout(): string {
    return this.label.toUpperCase()
  }
}

const factor = 3

function triple(x: number): number {
  return x * factor
}

/** Every kind of value that travels. */
export const fidelity: readonly FidelityRow[] = [
  { title: 'undefined', value: () => undefined },
  {
    title: 'undefined in an object',
    value: () => ({ a: undefined }),
    check: (came) => isDeepStrictEqual(came, { a: undefined }) && Object.hasOwn(came as object, 'a'),
  },
  {
    title: 'undefined in an array',
    value: () => [undefined, 1],
    check: (came) => isDeepStrictEqual(came, [undefined, 1]) && 0 in (came as object),
  },
  { title: 'null', value: () => null },
  { title: 'booleans', value: () => [true, false] },
  { title: '-0', value: () => -0 },
  { title: '-0 in an object', value: () => ({ a: -0, b: [0, -0] }) },
  { title: 'NaN', value: () => Number.NaN },
  { title: 'Infinity and -Infinity', value: () => [Infinity, -Infinity] },
  { title: 'numbers beyond 2^53', value: () => [2 ** 60, -(2 ** 64), Number.MAX_VALUE, Number.MIN_VALUE, 1e21, 123456789012345680000] },
  { title: 'BigInt', value: () => [0n, -5n, 2n ** 64n, 10n ** 5000n] },
  { title: 'strings', value: () => ['', 'naïve 🐘', '"\\\u0000\u2028'] },
  { title: 'lone surrogates', value: () => ['\ud800', 'a\udc00b'] },
  { title: 'plain objects and arrays', value: () => ({ a: [1, 'two', { three: null }], 'b c': {} }) },
  { title: 'integer-like keys', value: () => ({ 2: 'b', 1: 'a', x: new Map() }) },
  { title: 'Date', value: () => new Date('2026-03-29T01:30:00.123Z') },
  { title: 'invalid Date', value: () => new Date(Number.NaN), check: (came) => came instanceof Date && Number.isNaN(came.getTime()) },
  { title: 'RegExp', value: () => /a(?<b>\/)[\]]/giu },
  {
    title: 'RegExp with lastIndex',
    value: () => Object.assign(/x/g, { lastIndex: 7 }),
    check: (came) => came instanceof RegExp && came.lastIndex === 7,
  },
  { title: 'Map', value: () => new Map<unknown, unknown>([['a', 1], [{ key: 1 }, new Map([[Number.NaN, -0]])], [undefined, []]]) },
  { title: 'Set', value: () => new Set<unknown>([1, 'a', { b: 2 }, new Set([null])]) },
  { title: 'Buffer', value: () => Buffer.from('héllo'), check: (came, sent) => Buffer.isBuffer(came) && came.equals(sent as Buffer) },
  { title: 'empty Buffer', value: () => Buffer.alloc(0) },
  {
    title: 'Uint8Array',
    value: () => new Uint8Array([1, 2, 255]),
    check: (came, sent) => isDeepStrictEqual(came, sent) && !Buffer.isBuffer(came),
  },
  { title: 'all typed arrays', value: typedArrays },
  {
    title: 'part of a typed array',
    value: () => new Int16Array([1, 2, 3, 4]).subarray(1, 3),
    check: (came) => isDeepStrictEqual(came, new Int16Array([2, 3])),
  },
  { title: 'ArrayBuffer', value: () => new Uint8Array([9, 8]).buffer },
  {
    title: 'DataView',
    value: () => new DataView(new Uint8Array([1, 2, 3]).buffer, 1),
    check: (came) => came instanceof DataView && came.byteLength === 2 && came.getUint8(1) === 3,
  },
  {
    title: 'URL',
    value: () => new URL('https://user@example.com:8080/a%20b?q=1#h'),
    check: (came, sent) => came instanceof URL && came.href === (sent as URL).href,
  },
  {
    title: 'URLSearchParams',
    value: () => new URLSearchParams('a=1&a=2&b=%20'),
    check: (came, sent) => came instanceof URLSearchParams && String(came) === String(sent),
  },
  { title: 'Error', value: () => new Error('boom'), check: sameError },
  {
    title: 'Error without message',
    value: () => new Error(),
    check: (came, sent) => sameError(came, sent) && !Object.hasOwn(came as object, 'message'),
  },
  {
    title: 'Error with cause and fields',
    value: () => Object.assign(new TypeError('outer', { cause: new RangeError('inner') }), { code: 'E_X', at: new Date(0) }),
    check: sameError,
  },
  { title: 'AggregateError', value: () => new AggregateError([new Error('a'), 'b'], 'both'), check: sameError },
  { title: 'Error of an exported class', value: () => new PaymentError('declined', 5, { cause: 'card' }), check: sameError },
  {
    title: 'Error of Node',
    value: nodeError,
    check: (came, sent) => came instanceof TypeError && came.message === (sent as Error).message && (came as NodeJS.ErrnoException).code === 'ERR_INVALID_ARG_TYPE',
  },
  {
    title: 'DOMException',
    value: () => new DOMException('aborted', 'AbortError'),
    check: (came) => came instanceof DOMException && came.name === 'AbortError' && came.message === 'aborted' && came.code === 20,
  },
  {
    title: 'sparse array',
    value: () => sparse(),
    check: (came, sent) => isDeepStrictEqual(came, sent) && !(0 in (came as object)) && (came as unknown[]).length === 5,
  },
  { title: 'array with extra keys', value: () => Object.assign([1, 2], { extra: 'x' }) },
  { title: 'result of a match', value: () => /(?<first>b)/.exec('abc') },
  {
    title: 'own key __proto__',
    value: () => JSON.parse('{"__proto__": {"a": 1}, "b": 2}') as unknown,
    check: (came) => Object.hasOwn(came as object, '__proto__') && Object.getPrototypeOf(came) === Object.prototype,
  },
  {
    title: 'own key __proto__ beside a Date',
    value: () => Object.defineProperty({ d: new Date(0) }, '__proto__', { value: { polluted: 1 }, enumerable: true, configurable: true, writable: true }),
    check: (came) => Object.hasOwn(came as object, '__proto__') && !('polluted' in (came as object)),
  },
  {
    title: 'hidden property',
    value: () => Object.defineProperty({ a: 1 }, 'b', { value: 2, enumerable: false, configurable: true, writable: true }),
    check: (came) => isDeepStrictEqual(Object.keys(came as object), ['a']) && (came as { b: number }).b === 2,
  },
  { title: 'object without prototype', value: () => Object.assign(Object.create(null) as object, { a: 1 }) },
  { title: 'own toJSON', value: () => ({ toJSON: 'text', a: 1 }) },
  {
    title: 'shared reference',
    value: () => {
      const part = { a: 1 }
      return { x: part, y: [part] }
    },
    check: (came) => {
      const { x, y } = came as { x: unknown
      y: unknown[] }
      return x === y[0] && isDeepStrictEqual(x, { a: 1 })
    },
  },
  {
    title: 'circular reference',
    value: circular,
    check: (came) => {
      const root = came as { self: unknown
      list: unknown[] }
      return root.self === root && root.list[0] === root
    },
  },
  {
    title: 'circular Map',
    value: () => {
      const map = new Map<string, unknown>()
      return map.set('me', map)
    },
    check: (came) => (came as Map<string, unknown>).get('me') === came,
  },
  { title: 'Symbol.for', value: () => [Symbol.for('celeriac.test')] },
  { title: 'well-known symbol', value: () => [Symbol.iterator, Symbol.asyncIterator] },
  {
    title: 'instance of an exported class',
    value: () => new Point(3, 4),
    check: (came, sent) => came instanceof Point && came.norm() === 5 && isDeepStrictEqual(came, sent),
  },
  {
    title: 'instance of an exported subclass',
    value: () => new Point3(1, 2, 3),
    check: (came, sent) => came instanceof Point3 && isDeepStrictEqual(came, sent),
  },
  { title: 'exported function', value: () => double, check: (came) => came === double },
  { title: 'exported class', value: () => Point, check: (came) => came === Point },
  { title: 'function that is not exported', value: () => triple, check: (came) => typeof came === 'function' && came(2) === 6 },
  {
    title: 'closure',
    value: () => {
      const base = new Map([['k', 40]])
      return (x: number): number => (base.get('k') ?? 0) + x
    },
    check: (came) => (came as (x: number) => number)(2) === 42,
  },
  { title: 'bound function', value: () => triple.bind(undefined, 5), check: (came) => (came as () => number)() === 15 },
  { title: 'class that is not exported', value: () => Local, check: (came) => new (came as typeof Local)('a').shout() === 'A' },
  {
    title: 'instance of a class that is not exported',
    value: () => new Local('hi'),
    check: (came) => (came as Local).shout() === 'HI' && (came as Local).label === 'hi',
    refusedAsResult: /instance of the class Local, which no module exports/,
  },
  { title: 'built-in function', value: () => Math.max, check: (came) => came === Math.max },
  {
    title: 'rows of which one has a Date',
    value: () => [...Array.from({ length: 20 }, (_, id) => ({ id })), { id: 21, at: new Date(5) }, undefined, [1]],
  },
  {
    title: 'shared rows among plain ones',
    value: sharedRows,
    check: (came) => {
      const rows = came as { id: unknown }[]
      return rows[0] === rows[3] && rows[1]?.id === rows[2]?.id && rows[1] !== rows[2] && rows[4] === came
    },
  },
  { title: 'a table between other values', value: () => [1n, ...table(10), { id: 1 }, [2], 'x', null, ...table(10), { more: 1, ...table(1)[0] }, new Date(5)] },
  {
    title: 'a table whose rows have their keys in another order',
    value: () => [...table(10), { n: 1.5, id: 1, tags: [], nothing: null, deep: {} }, new Set()],
    check: (came, sent) => sameValue(came, sent) && JSON.stringify(came) === JSON.stringify(sent),
  },
  {
    title: 'rows with keys that are no columns',
    value: () => [...Array.from({ length: 10 }, (_, id) => JSON.parse(`{"__proto__":{"id":${id}},"a":1}`) as unknown), ...Array.from({ length: 9 }, () => ({ b: 1, 7: 2 })), 1n],
  },
  {
    title: 'rows of numbered keys',
    value: () => [...Array.from({ length: 10 }, (_, id) => ({ 10: id, 9: 'a', b: id })), undefined],
  },
  {
    title: 'a table of which two rows are the same and two hold the same',
    value: sharedInTable,
    check: (came) => {
      const rows = came as { id: unknown; tags: unknown }[]
      return rows[2] === rows[4] && rows[2]?.id === 2 && rows[6]?.tags === rows[7]?.tags && rows[0]?.tags !== rows[1]?.tags
    },
  },
  { title: 'rows of nothing', value: () => [...Array.from({ length: 10 }, () => ({})), undefined] },
  { title: 'an empty array and object', value: () => [[], {}] },
  { title: 'deeply nested', value: () => nested(5_000), check: (came) => depthOf(came) === 5_000 },
]

/** Deeply and strictly equal: `isDeepStrictEqual` tells -0 from 0, and classes apart, but not a hole from undefined. */
export function sameValue(came: unknown, sent: unknown): boolean {
  return isDeepStrictEqual(came, sent)
}

function typedArrays(): unknown {
  const names = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float16Array', 'Float32Array', 'Float64Array'] as const
  const numbers = names.flatMap((name) => {
    const Class: unknown = Reflect.get(globalThis, name)
    return typeof Class === 'function' ? [(Class as Uint8ArrayConstructor).from([1, 0, 127])] : []
  })
  return [...numbers, new BigInt64Array([-1n, 2n ** 62n]), new BigUint64Array([2n ** 63n]), new Float64Array([-0, Number.NaN, 1.5])]
}

function sharedRows(): unknown {
  const id = { n: 1 }
  const first = { id: 0 }
  const rows: unknown[] = [first, { id }, { id }, first, undefined, 'a', 'b', 'c', 'd', 'e', 'f', 'g']
  rows[4] = rows
  return rows
}

function table(rows: number): { id: number; n: number; tags: unknown; nothing: null; deep: object }[] {
  return Array.from({ length: rows }, (_, id) => ({ id, n: id / 2, tags: ['a', { b: id }], nothing: null, deep: { ['__proto__']: id } }))
}

function sharedInTable(): unknown {
  const rows = table(12)
  const [, , second, , , , sixth, seventh] = rows
  if (second === undefined || sixth === undefined || seventh === undefined) return rows
  rows[4] = second
  seventh.tags = sixth.tags
  return rows
}

function nodeError(): unknown {
  try {
    return Buffer.from(5 as never)
  } catch (error) {
    return error
  }
}

function sparse(): unknown[] {
  const values: unknown[] = []
  values[2] = 'x'
  values.length = 5
  return values
}

function circular(): unknown {
  const root: { self?: unknown; list: unknown[] } = { list: [] }
  root.self = root
  root.list.push(root)
  return root
}

function nested(depth: number): unknown {
  let value: unknown = null
  for (let level = 0; level < depth; level++) value = [value]
  return value
}

function depthOf(value: unknown): number {
  let depth = 0
  for (let step = value; Array.isArray(step); step = step[0] as unknown) depth++
  return depth
}

function sameError(came: unknown, sent: unknown): boolean {
  if (!(came instanceof Error) || !(sent instanceof Error)) return false
  const same = Object.getPrototypeOf(came) === Object.getPrototypeOf(sent) && came.stack === sent.stack && String(came) === String(sent)
  return same && isDeepStrictEqual(fieldsOf(came), fieldsOf(sent))
}

/** Causes and fields with their being hidden or not; errors among them by their text. */
function fieldsOf(error: Error): unknown {
  const entries = Object.entries(Object.getOwnPropertyDescriptors(error)).filter(([key]) => key !== 'stack')
  return Object.fromEntries(entries.map(([key, { value, enumerable }]) => [key, [enumerable, value instanceof Error ? fieldsOf(value) : value]]))
}

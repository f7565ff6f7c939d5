import type { Row } from '../row.ts'

const minusZero = -0
const huge = 2n ** 80n
const nothing = undefined
const none = null
const when = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6))
const never = new Date(Number.NaN)
const pattern = /(?<year>\d{4})-\/[/}]"'`/giu
const prices = new Map<unknown, unknown>([['apple', 1], [{ id: 1 }, [2]], [Number.NaN, 'nan']])
const seen = new Set<unknown>([1, 'a', new Set([2])])
const link = new URL('https://user@example.org:8080/a%20b?q=1#h')
const query = new URLSearchParams([['a', '1'], ['a', '2']])
const bytes = Buffer.from([0, 255, 128])
const floats = new Float64Array([1.5, -0, Number.NaN])
const big64 = new BigInt64Array([-1n, 2n ** 62n])
const part = new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 3)
const raw = new Uint8Array([9, 8]).buffer
const view = new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2)
const circle: { self?: unknown; list: unknown[] } = { list: [] }
circle.self = circle
circle.list.push(circle, circle.list)
const shared = { n: 1 }
const pair = { a: shared, b: shared }
// oxlint-disable-next-line no-sparse-arrays -- it is what is tried
const sparse = [1, , 3]
const listed = Object.assign([1, 2], { extra: 'x' })
const bare: Record<string, unknown> = Object.assign(Object.create(null) as object, { a: 1 })
const odd = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}') as Record<string, unknown>
const failure = Object.assign(new RangeError('too far', { cause: new Error('first') }), { code: 'E_FAR' })
const many = new AggregateError([new Error('a'), new TypeError('b')], 'both')
const registered = Symbol.for('corpus.mark')
const lone = 'a\ud800b'
const odds = 'line\u2028\u2029\0\u{1f600}\\n${x}`'
const deep = { a: { b: [{ c: new Map([['d', { e: when }]]) }] } }
const enumLike = Object.freeze({ A: 1, B: 'two' } as const)
const large = Array.from({ length: 5000 }, (_, i) => ({ id: i, name: `row ${i}` }))
const wide: Record<string, number> = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i]))

export const rows: readonly Row[] = [
  { title: 'captured primitives', make: () => { const [n, s, b] = [1.5, 'text', true]; return () => [n, s, b] }, gives: [1.5, 'text', true] },
  { title: 'captured -0', make: () => () => Object.is(minusZero, -0), gives: true },
  { title: 'captured NaN and infinities', make: () => { const odd = { nan: Number.NaN, up: Infinity, down: -Infinity }; return () => [Number.isNaN(odd.nan), odd.up === Infinity, odd.down === -Infinity] }, gives: [true, true, true] },
  { title: 'a captured BigInt', make: () => () => [typeof huge, String(huge)], gives: ['bigint', '1208925819614629174706176'] },
  { title: 'captured undefined and null', make: () => () => [nothing === undefined, none === null], gives: [true, true] },
  { title: 'a property that is undefined', make: () => { const o = { a: undefined, b: 1 }; return () => Object.keys(o) }, gives: ['a', 'b'] },
  { title: 'a captured Date', make: () => () => [when.toISOString(), when instanceof Date], gives: ['2026-01-02T03:04:05.006Z', true] },
  { title: 'an invalid Date', make: () => () => Number.isNaN(never.getTime()), gives: true },
  { title: 'a captured RegExp', make: () => () => [pattern.source, pattern.flags, new RegExp(pattern).exec('2026-//"\'`')?.groups?.['year']], gives: ['(?<year>\\d{4})-\\/[/}]"\'`', 'giu', '2026'] },
  { title: 'where a RegExp stands', make: () => { const sticky = /a/y; sticky.lastIndex = 2; return () => sticky.test('aaa') && sticky.lastIndex }, gives: 3 },
  { title: 'a captured Map', make: () => () => [...prices].map(([key, value]) => [typeof key, value]), gives: [['string', 1], ['object', [2]], ['number', 'nan']] },
  { title: 'a captured Set', make: () => () => [seen.size, seen.has('a'), [...seen].at(-1) instanceof Set], gives: [3, true, true] },
  { title: 'a captured URL', make: () => () => [link instanceof URL, link.href, link.port], gives: [true, 'https://user@example.org:8080/a%20b?q=1#h', '8080'] },
  { title: 'captured URLSearchParams', make: () => () => query.getAll('a'), gives: ['1', '2'] },
  { title: 'a captured Buffer', make: () => () => [Buffer.isBuffer(bytes), bytes.toString('hex')], gives: [true, '00ff80'] },
  { title: 'a captured typed array', make: () => () => [floats instanceof Float64Array, floats[0], Object.is(floats[1], -0), Number.isNaN(floats[2])], gives: [true, 1.5, true, true] },
  { title: 'a captured BigInt64Array', make: () => () => [big64 instanceof BigInt64Array, ...[...big64].map(String)], gives: [true, '-1', '4611686018427387904'] },
  { title: 'a part of a typed array', make: () => () => [...part], gives: [2, 3] },
  { title: 'a captured ArrayBuffer', make: () => () => [raw instanceof ArrayBuffer, ...new Uint8Array(raw)], gives: [true, 9, 8] },
  { title: 'a captured DataView', make: () => () => [view.byteLength, view.getUint16(0)], gives: [2, 515] },
  { title: 'a circular object', make: () => () => [circle.self === circle, circle.list[0] === circle, circle.list[1] === circle.list], gives: [true, true, true] },
  { title: 'an object captured twice is one', make: () => () => [pair.a === pair.b, pair.a === shared], gives: [true, true] },
  { title: 'an object that two captured functions share is one', make: () => { const box = { n: 0 }; const add = (): number => (box.n += 1); const read = (): number => box.n; return () => { add(); return [read(), box.n] } }, gives: [1, 1] },
  { title: 'an object that is captured and passed is one', make: () => (o: unknown) => o === shared, args: [shared], gives: true },
  { title: 'an array with holes', make: () => () => [sparse.length, 1 in sparse, 2 in sparse], gives: [3, false, true] },
  { title: 'an array with a property', make: () => () => [listed.extra, listed.length], gives: ['x', 2] },
  { title: 'an object without a prototype', make: () => () => [Object.getPrototypeOf(bare) === null, bare['a']], gives: [true, 1] },
  { title: 'an own key named __proto__', make: () => () => [Object.keys(odd), ({} as Record<string, unknown>)['polluted'] === undefined, Object.getPrototypeOf(odd) === Object.prototype], gives: [['__proto__', 'constructor'], true, true] },
  { title: 'a captured error with its cause and data', make: () => () => [failure instanceof RangeError, failure.message, failure.code, (failure.cause as Error).message], gives: [true, 'too far', 'E_FAR', 'first'] },
  { title: 'a captured AggregateError', make: () => () => [many.errors.length, many.errors[1] instanceof TypeError], gives: [2, true] },
  { title: 'a registered symbol', make: () => () => registered === Symbol.for('corpus.mark'), gives: true },
  { title: 'a well-known symbol', make: () => { const iterator = Symbol.iterator; return () => iterator === Symbol.iterator }, gives: true },
  { title: 'a lone surrogate', make: () => () => lone.charCodeAt(1), gives: 0xd800 },
  { title: 'text that code would have to escape', make: () => () => [odds.length, odds === 'line\u2028\u2029\0\u{1f600}\\n${x}`'], gives: [16, true] },
  { title: 'values deep inside others', make: () => () => deep.a.b[0]?.c.get('d')?.e.getUTCFullYear(), gives: 2026 },
  { title: 'a frozen table', make: () => () => enumLike.A + enumLike.B, gives: '1two' },
  { title: 'five thousand rows', make: () => () => large.reduce((sum, row) => sum + row.id, 0), gives: 12497500 },
  { title: 'an object of three hundred keys', make: () => () => Object.values(wide).length, gives: 300 },
  { title: 'a captured native function', make: () => { const { max } = Math; return (a: number) => max(a, 1) }, args: [5], gives: 5 },
  { title: 'captured natives of every kind', make: () => { const natives = [parseInt, JSON.stringify, Array.isArray, Object.prototype.hasOwnProperty, Map, setTimeout]; return () => natives.map((fn) => fn.name) }, gives: ['parseInt', 'stringify', 'isArray', 'hasOwnProperty', 'Map', 'setTimeout'] },
  { title: 'a captured empty string, array and object', make: () => { const empty = { s: '', a: [], o: {} }; return () => empty }, gives: { s: '', a: [], o: {} } },
  { title: 'values of every kind as arguments', make: () => (...values: unknown[]) => values.map((value) => Object.prototype.toString.call(value)), args: [when, pattern, prices, seen, link, bytes, huge, minusZero, nothing, shared], gives: ['[object Date]', '[object RegExp]', '[object Map]', '[object Set]', '[object URL]', '[object Uint8Array]', '[object BigInt]', '[object Number]', '[object Undefined]', '[object Object]'] },
  { title: 'values of every kind as results', make: () => () => [when, prices, seen, huge, minusZero, circle.list.length, new Uint8Array([1])], gives: [when, prices, seen, huge, -0, 2, new Uint8Array([1])] },
  { title: 'a circular argument that comes back', make: () => (o: { me?: unknown }) => o.me === o && o, args: () => { const o: { me?: unknown } = {}; o.me = o; return [o] }, gives: circleOf() },
]

function circleOf(): object {
  const o: { me?: unknown } = {}
  o.me = o
  return o
}

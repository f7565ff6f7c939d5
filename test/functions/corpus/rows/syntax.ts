/* oxlint-disable typescript/no-for-in-array, no-unused-private-class-members -- odd code is what is tried */
import type { Row } from '../row.ts'

const unit = 'kg'
const limit = 3
const $ = 'dollar'
const _ = 'underscore'
const größe = 4
const \u0061bc = 'escaped'
const 変数 = 'kanji'
const options = { verbose: true, nested: { deep: 1 } }
const maybe: { a?: { b?: () => string } } = {}
const of = 'of'
const get = 'get'
const async = 'async'

function tag(strings: TemplateStringsArray, ...values: unknown[]): string {
  return strings.raw.join('|') + values.join(',')
}

export const rows: readonly Row[] = [
  { title: 'a template', make: () => (x: number) => `${x}${unit} ${`nested ${limit} ${`${x}`}`}`, args: [1], gives: '1kg nested 3 1' },
  { title: 'a captured tag of a template', make: () => (x: number) => tag`a${x}\n${limit}b`, args: [1], gives: 'a|\\n|b1,3' },
  { title: 'String.raw', make: () => () => String.raw`\u0041${unit}`, gives: '\\u0041kg' },
  { title: 'regular expressions with slashes, braces and quotes', make: () => (s: string) => [/[/}]\/{1,2}"'`/u.test(s), s.replace(/\//g, unit), s.split(/(?:})/).length], args: ['}//"\'`'], gives: [true, '}kgkg"\'`', 2] },
  { title: 'a division that looks like a regular expression', make: () => (a: number) => { const g = 2; return a / limit / g }, args: [12], gives: 2 },
  { title: 'strings that look like code', make: () => () => ['// no comment', '/* none', "it's ${unit}", '`', '=> {', '} // }'], gives: ['// no comment', '/* none', "it's ${unit}", '`', '=> {', '} // }'] },
  { title: 'comments everywhere', make: () => /* a */ function /* b */ named(/* c */ x: number /* d */) /* e */ { // f }
    /* ` */ return /* g */ x // '
    /* " */ + limit /* h */ }, args: [1], gives: 4 },
  { title: 'optional chaining over captured objects', make: () => () => [maybe.a?.b?.(), options?.nested?.deep, (options as { none?: number[] }).none?.[0]], gives: [undefined, 1, undefined] },
  { title: 'nullish and logical assignment to locals', make: () => () => { let a: number | null = null; let b = 0; let c = 1; a ??= limit; b ||= limit; c &&= limit; return [a, b, c] }, gives: [3, 3, 3] },
  { title: 'assignment to members of a captured object', make: () => { const box = { n: 1, list: [0] }; return () => { box.n += 1; box.list[0] = limit; [box.n] = [box.n * 10]; return box } }, gives: { n: 20, list: [3] } },
  { title: 'operators of every kind', make: () => (a: number) => [a ** limit, -(a ** 2), 'verbose' in options, [] instanceof Array, void 0, typeof a, ~a, !a, a >>> 1, a % 2, a ?? 1], args: [2], gives: [8, -4, true, true, undefined, 'number', -3, false, 1, 0, 2] },
  { title: 'spread of captured values', make: () => { const more = [2, 3]; return (x: number) => [Math.max(...more, x), [...more, ...new Set(more)], { ...options, x }] }, args: [1], gives: [3, [2, 3, 2, 3], { verbose: true, nested: { deep: 1 }, x: 1 }] },
  { title: 'computed keys and shorthands', make: () => () => ({ [unit]: 1, [`${unit}${limit}`]: 2, unit, limit() { return limit } }.limit() + Object.keys({ [unit]: 1, unit }).join()), gives: '3kg,unit' },
  { title: 'accessors of an object made inside', make: () => () => { let stored = limit; const o = { get value() { return stored }, set value(v: number) { stored = v * 2 } }; o.value = 5; return o.value }, gives: 10 },
  { title: 'names with $, _ and letters of other scripts', make: () => () => [$, _, größe, 変数], gives: ['dollar', 'underscore', 4, 'kanji'] },
  { title: 'an escaped name', make: () => () => [\u0061bc, abc], gives: ['escaped', 'escaped'] },
  { title: 'names that are keywords elsewhere', make: () => () => { const from = 1; const as = 2; const type = 3; return [of, get, async, from, as, type] }, gives: ['of', 'get', 'async', 1, 2, 3] },
  { title: 'keywords as property names', make: () => () => { const o = { class: 1, function: 2, if: 3, new: 4, await: 5 }; return o.class + o.function + o.if + o.new + o.await }, gives: 15 },
  { title: 'labels, break and continue', make: () => () => { const out: number[] = []; outer: for (let i = 0; i < limit; i++) { for (let j = 0; j < limit; j++) { if (j === 1) continue outer; if (i === 2) break outer; out.push(i * 10 + j) } } return out }, gives: [0, 10] },
  { title: 'for loops of every kind', make: () => () => { let sum = 0; for (const k in [5, 6]) sum += Number(k); for (const n of [limit]) sum += n; for (let i = 0, n = 2; i < n; i++) sum += i; do sum++; while (sum < 10); return sum }, gives: 10 },
  { title: 'switch over captured cases', make: () => (x: string) => { switch (x) { case unit: return 'unit'; case $: return '$'; default: return 'none' } }, args: ['kg'], gives: 'unit' },
  { title: 'try, catch and finally', make: () => () => { const log: string[] = []; try { try { throw new Error(unit) } finally { log.push('finally') } } catch (error) { log.push((error as Error).message) } return log }, gives: ['finally', 'kg'] },
  { title: 'a return followed by a line break', make: () => () => {
    const give = (): unknown => {
      return (
        // kept together
        unit
      )
    }
    return give()
  }, gives: 'kg' },
  { title: 'lines without semicolons', make: () => () => {
    const a = limit
    const b = [a]
    ;[b[0]] = [a + 1]
    ;(() => b.push(1))()
    return b
  }, gives: [4, 1] },
  { title: 'numbers in every notation', make: () => () => [0x1f, 0o17, 0b11, 1_000, 1e3, 0.5, String(10n ** 20n)], gives: [31, 15, 3, 1000, 1000, 0.5, '100000000000000000000'] },
  { title: 'iterators and helpers', make: () => () => [...new Map([[unit, limit]]).entries()].flatMap(([key, value]) => [key, value]), gives: ['kg', 3] },
  { title: 'a WeakMap local to the function', make: () => () => { const cache = new WeakMap<object, number>(); cache.set(options, limit); return cache.get(options) }, gives: 3 },
  { title: 'a private helper called at once', make: () => (x: number) => (function twice(n: number): number { return n * 2 })(x) + (() => limit)(), args: [1], gives: 5 },
  { title: 'class members of every kind made inside', make: () => () => { class All { static a = limit; static { All.a += 1 } #b = 1; 'c d' = 2; [unit] = 3; static async e() { return 4 } *f() { yield this.#b } } const all = new All(); return [All.a, all['c d'], (all as unknown as Record<string, number>)['kg'], [...all.f()]] }, gives: [4, 2, 3, [1]] },
  { title: 'a function of one very long line', make: () => (x: number) => [x, x + 1, x + 2, x + 3, x + 4, x + 5, x + 6, x + 7, x + 8, x + 9].map((n) => n * limit).filter((n) => n % 2 === 0).reduce((sum, n) => sum + n, 0), args: [0], gives: 60 },
  { title: 'text of other scripts before the function', make: () => { const 文 = '漢字 😀 é'; return () => [文, 文.length] }, gives: ['漢字 😀 é', 7] },
]

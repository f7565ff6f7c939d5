import type { Row } from '../row.ts'

const defaultRate = 0.5
const defaults = { size: 3, tags: ['a'] }
const fallback = (x: number): number => x * 100
const field = 'chosen'

export const rows: readonly Row[] = [
  { title: 'a default that is captured', make: () => (x: number, rate = defaultRate) => x * rate, args: [4], gives: 2 },
  { title: 'a default that calls a captured function', make: () => (x: number, y = fallback(x)) => y, args: [4], gives: 400 },
  { title: 'a default that is an arrow over captured names', make: () => (x: number, f = (y: number) => y + defaultRate) => f(x), args: [1], gives: 1.5 },
  { title: 'a default that is not used', make: () => (x: number, rate = defaultRate) => x * rate, args: [4, 2], gives: 8 },
  { title: 'a default for undefined, not for null', make: () => (a: unknown = 'given up', b: unknown = 'not used') => [a, b], args: [undefined, null], gives: ['given up', null] },
  { title: 'object destructuring with captured defaults', make: () => ({ size = defaults.size, tags: [first = 'none'] = defaults.tags }: { size?: number; tags?: string[] }) => [size, first], args: [{}], gives: [3, 'a'] },
  { title: 'nested destructuring', make: () => ({ a: { b: [, second] }, ...rest }: { a: { b: number[] }; c?: number }) => [second, rest], args: [{ a: { b: [1, 2] }, c: 3 }], gives: [2, { c: 3 }] },
  { title: 'destructuring by a captured key', make: () => ({ [field]: value, ...others }: Record<string, number>) => [value, others], args: [{ chosen: 1, other: 2 }], gives: [1, { other: 2 }] },
  { title: 'array destructuring with holes and rest', make: () => ([first, , third = defaultRate, ...rest]: (number | undefined)[]) => [first, third, rest], args: [[1, 2, undefined, 4, 5]], gives: [1, 0.5, [4, 5]] },
  { title: 'rest parameters', make: () => (first: number, ...others: number[]) => [first, others.length, ...others], args: [1, 2, 3], gives: [1, 2, 2, 3] },
  { title: 'rest parameters that are destructured', make: () => (...[a, b = defaultRate]: [number, number?]) => a + b, args: [1], gives: 1.5 },
  { title: 'renamed destructuring over a captured name', make: () => ({ size: defaultSize }: { size: number }) => defaultSize + defaults.size, args: [{ size: 1 }], gives: 4 },
  { title: 'a destructured default for a missing object', make: () => ({ size }: { size: number } = defaults) => size, gives: 3 },
  { title: 'a default that names an earlier parameter', make: () => (a: number, b = a + 1, c = b * defaultRate) => [a, b, c], args: [3], gives: [3, 4, 2] },
  { title: 'a default that names the outer variable of an inner name', make: () => { const x = 'outer'; return (read = () => x) => { const x = 'inner'; return [read(), x] } }, gives: ['outer', 'inner'] },
  { title: 'a parameter that shadows a captured name', make: () => (defaultRate: number) => defaultRate * 2, args: [8], gives: 16 },
  { title: 'destructuring assignment to locals', make: () => (a: number, b: number) => { [a, b] = [b, a]; const o = { k: 0 }; ({ k: o.k } = { k: defaults.size }); return [a, b, o.k] }, args: [1, 2], gives: [2, 1, 3] },
  { title: 'more arguments than parameters', make: () => (a: number) => a, args: [1, 2, 3], gives: 1 },
  { title: 'fewer arguments than parameters', make: () => (a: number, b?: number) => [a, b === undefined], args: [1], gives: [1, true] },
]

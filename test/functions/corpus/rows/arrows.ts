import type { Row } from '../row.ts'

const factor = 3
const add = (a: number) => (b: number): number => a + b
const list = [(x: number): number => x + 1, (x: number): number => x * 10]

export const rows: readonly Row[] = [
  { title: 'an arrow with an expression', make: () => (x: number) => x * 2, args: [21], gives: 42 },
  {
    title: 'an arrow with a block',
    make: () => (x: number) => {
      const doubled = x * 2
      return doubled + 1
    },
    args: [2],
    gives: 5,
  },
  { title: 'an arrow with a variable of its module', make: () => (x: number) => x * factor, args: [4], gives: 12 },
  {
    title: 'an arrow with variables of two scopes',
    make: () => {
      const inner = 5
      return (x: number) => x * factor + inner
    },
    args: [1],
    gives: 8,
  },
  { title: 'an arrow that returns an object', make: () => (x: number) => ({ x, twice: { x: x * 2 } }), args: [1], gives: { x: 1, twice: { x: 2 } } },
  { title: 'an arrow without parameters', make: () => () => 'nothing in', gives: 'nothing in' },
  { title: 'an arrow that returns nothing', make: () => () => {}, gives: undefined },
  { title: 'a curried arrow, half applied', make: () => add(40), args: [2], gives: 42 },
  { title: 'an arrow that curries inside', make: () => (x: number) => add(x)(1) + ((y: number) => y * factor)(x), args: [10], gives: 41 },
  { title: 'an arrow three calls deep', make: () => ((a: number) => (b: number) => (c: number) => [a, b, c])(1)(2), args: [3], gives: [1, 2, 3] },
  { title: 'an arrow out of an array', make: () => list[1] ?? add(0), args: [7], gives: 70 },
  { title: 'an arrow chosen by a condition', make: () => (factor > 2 ? (x: number) => x - 1 : (x: number) => x + 1), args: [1], gives: 0 },
  { title: 'an arrow from a function called at once', make: () => (() => (x: number) => x ** factor)(), args: [2], gives: 8 },
  { title: 'an async arrow', make: () => async (x: number) => (await Promise.resolve(x)) + factor, args: [1], gives: 4 },
  { title: 'an async arrow without parentheses in its result', make: () => async (x: Promise<number> | number) => await x, args: [9], gives: 9 },
  { title: 'a generic arrow', make: () => <T>(value: T): readonly T[] => [value, value], args: ['a'], gives: ['a', 'a'] },
  {
    title: 'an arrow full of types',
    make: () => (x: unknown, y: { readonly n: number } = { n: 2 } satisfies { n: number }): number => (x as number) * y.n,
    args: [21],
    gives: 42,
  },
  { title: 'an arrow whose result is a comma expression', make: () => (list: number[]) => (list.push(factor), list.reverse(), list), args: () => [[1]], gives: [3, 1] },
  {
    title: 'an arrow with comments in odd places',
    make: () =>
      /* before */ (/* in */ x: number /* after */, // to the end => of the line
      ) /* : */ => /* } */ {
        // return 'wrong' }
        return /* ) */ x + 1 /* `${ */
      },
    args: [1],
    gives: 2,
  },
  { title: 'an arrow nested in an arrow with the same parameter', make: () => (x: number) => [1, 2].map((x) => x * factor).concat(x), args: [0], gives: [3, 6, 0] },
]

import type { Row, Task } from '../row.ts'

const base = 10

function topLevel(x: number): number {
  return x + base
}

const recursive = function again(n: number): number {
  return n <= 1 ? 1 : n * again(n - 1)
}

const fibonacci = (n: number): number => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2))

function isEven(n: number): boolean {
  return n === 0 ? true : isOdd(n - 1)
}

function isOdd(n: number): boolean {
  return n === 0 ? false : isEven(n - 1)
}

function compose<T>(...fns: ((x: T) => T)[]): (x: T) => T {
  return (x) => fns.reduce((value, fn) => fn(value), x)
}

function withState(): Task {
  let state = 5
  const read = (): number => state
  state = 6
  return () => read() + state
}

const tagged = Object.assign((x: number): number => x * tagged.scale, { scale: 4 })

export const rows: readonly Row[] = [
  {
    title: 'a function expression',
    make: () =>
      function (x: number) {
        return x + base
      },
    args: [1],
    gives: 11,
  },
  { title: 'a declared function that is not exported', make: () => topLevel, args: [1], gives: 11 },
  { title: 'a named function expression that calls itself', make: () => recursive, args: [5], gives: 120 },
  { title: 'a constant arrow that calls itself', make: () => fibonacci, args: [10], gives: 55 },
  { title: 'two functions that call each other', make: () => isEven, args: [10], gives: true },
  { title: 'the other one of the two', make: () => (n: number) => [isOdd(n), isEven(n)], args: [7], gives: [true, false] },
  {
    title: 'a declaration used before it is written',
    make: () => {
      return hoisted
      function hoisted(x: number): number {
        return later(x) * 2
      }
      function later(x: number): number {
        return x + 1
      }
    },
    args: [1],
    gives: 4,
  },
  {
    title: 'a declaration inside a block',
    make: () => {
      if (base > 1) {
        function inBlock(x: number): number {
          return x - base
        }
        return inBlock
      }
      return topLevel
    },
    args: [11],
    gives: 1,
  },
  {
    title: 'a function with functions of its own',
    make: () =>
      function outer(x: number) {
        const half = middle(x)
        function middle(y: number): number {
          const inner = (z: number): number => z / 2 + base
          return inner(y)
        }
        return half
      },
    args: [4],
    gives: 12,
  },
  {
    title: 'a function that reads its arguments object',
    make: () =>
      function () {
        return [arguments.length, ...(arguments as unknown as number[])]
      },
    args: [1, 2],
    gives: [2, 1, 2],
  },
  {
    title: 'the name and the length of a function',
    make: () =>
      function named(_a: number, _b: number, ..._rest: number[]) {
        return [named.name, named.length]
      },
    gives: ['named', 2],
    differs: { 'esbuild bundle, minified': { gives: ['e', 2], why: 'a minifier renames functions' } },
  },
  { title: 'a captured function keeps its name', make: () => (name: string) => topLevel.name === name, args: () => [topLevel.name], gives: true },
  { title: 'functions composed of captured ones', make: () => compose(topLevel, (x: number) => x * 2), args: [1], gives: 22 },
  { title: 'a captured array of functions', make: () => ((fns) => (x: number) => fns.map((fn) => fn(x)))([topLevel, fibonacci]), args: [-1], gives: [9, -1] },
  { title: 'a captured object of functions', make: () => ((ops) => (x: number) => ops.up(x) - ops.nested.down(x))({ up: topLevel, nested: { down: (y: number) => y - 1 } }), args: [5], gives: 11 },
  { title: 'a captured map of functions', make: () => ((ops) => (name: string) => ops.get(name)?.(3))(new Map([['up', topLevel]])), args: ['up'], gives: 13 },
  { title: 'captured functions that share what they capture', make: withState, gives: 12 },
  {
    title: 'two captured functions that share an object',
    make: () => {
      const counts: number[] = []
      const push = (x: number): number => counts.push(x)
      const read = (): readonly number[] => counts
      return () => {
        push(1)
        push(2)
        return read()
      }
    },
    gives: [1, 2],
  },
  { title: 'a chain of five captured functions', make: () => [1, 2, 3, 4, 5].reduce<(x: number) => number>((inner, n) => (x) => inner(x) + n * base, (x) => x), args: [1], gives: 151 },
  { title: 'a function as argument', make: () => (fn: (x: number) => number, x: number) => fn(x), args: () => [(y: number) => y * base, 5], gives: 50 },
  { title: 'functions within arguments', make: () => (o: { on: ((x: number) => number)[] }) => o.on.map((fn) => fn(1)), args: () => [{ on: [topLevel, (x: number) => -x] }], gives: [11, -1] },
  { title: 'an argument that the task also captures', make: () => (fn: unknown) => fn === topLevel, args: () => [topLevel], gives: true },
  { title: 'a function with properties of its own', make: () => (x: number) => tagged(x) + tagged.scale, args: [2], gives: 12 },
  {
    title: 'a captured object whose method uses it',
    make: () => {
      const counter = {
        count: 1,
        next(): number {
          this.count += 1
          return this.count
        },
      }
      return () => [counter.next(), counter.next(), counter.count]
    },
    gives: [2, 3, 3],
  },
  {
    title: 'a function has no this',
    make: () =>
      function (this: unknown) {
        return this === undefined
      },
    gives: true,
    differs: { 'esbuild CommonJS': { gives: false, why: 'esbuild writes no "use strict" into CommonJS' } },
  },
  {
    title: 'an ordinary function inside that has a this',
    make: () => () => {
      function area(this: { w: number; h: number }): number {
        return this.w * this.h
      }
      return area.call({ w: 2, h: base })
    },
    gives: 20,
  },
  { title: 'a bound function with an argument', make: () => topLevel.bind(null, 5), gives: 15 },
  { title: 'a bound function with some of its arguments', make: () => ((a: number, b: number, c: number) => [a, b, c, base]).bind(null, 1, 2), args: [3], gives: [1, 2, 3, 10] },
  {
    title: 'a bound function with its receiver',
    make: () =>
      function (this: { rate: number }, x: number) {
        return this.rate * x
      }.bind({ rate: 7 }),
    args: [6],
    gives: 42,
  },
  { title: 'a function bound twice', make: () => ((a: number, b: number, c: number) => a + b + c).bind(null, 1).bind(null, 2), args: [3], gives: 6 },
  { title: 'a captured bound function', make: () => ((plus) => (x: number) => plus(x) * 2)(topLevel.bind(null)), args: [1], gives: 22 },
  {
    title: 'new.target in a function inside',
    make: () => () => {
      function Made(this: { called: boolean }): void {
        this.called = new.target !== undefined
      }
      return (Reflect.construct(Made, []) as { called: boolean }).called
    },
    gives: true,
  },
]

import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { provide, resolveImport } from '../../src/functions/import-binding.ts'
import { readGraphText } from '../../src/graph/read.ts'
import { NO_TYPES } from '../../src/graph/types.ts'
import { writeGraph } from '../../src/graph/write.ts'
import { Point } from './fixtures/shapes.ts'

const root = resolve(import.meta.dirname, '../..')

async function copyOf<T>(value: T): Promise<T> {
  const { text, hasCode } = writeGraph([value], { root, path: 'args', types: NO_TYPES, classesByValue: true })
  expect(hasCode).toBe(true)
  await expect(readGraphText(text, { root, types: NO_TYPES, allowCode: false })).rejects.toThrow(/only read from a verified message/)
  const [copy] = (await readGraphText(text, { root, types: NO_TYPES, allowCode: true })) as [T]
  return copy
}

test('functions that call each other still do', async () => {
  const isEven = (n: number): boolean => n === 0 || isOdd(n - 1)
  const isOdd = (n: number): boolean => n !== 0 && isEven(n - 1)

  const copy = await copyOf(isEven)

  expect([copy(10), copy(7)]).toEqual([true, false])
})

test('two functions share the object that both capture', async () => {
  const state = { count: 0, list: [] as unknown[] }
  const increase = (): number => ++state.count
  const read = (): number => state.count
  const [up, get] = await copyOf([increase, read] as const)

  up()
  up()

  expect(get()).toBe(2)
  expect(state.count).toBe(0)
})

test('an object captured by a function that it holds is the same object', async () => {
  const holder: { me?: () => unknown; map: Map<string, unknown> } = { map: new Map() }
  holder.me = () => holder
  holder.map.set('me', holder.me)

  const copy = await copyOf(holder)

  expect(copy.me?.()).toBe(copy)
  expect(copy.map.get('me')).toBe(copy.me)
})

test('instances of a class by value are instances of the one class that comes along', async () => {
  class Shape {
    readonly name: string
    constructor(name: string) {
      this.name = name
    }
  }
  class Square extends Shape {
    side = 2
    area(): number {
      return this.side ** 2
    }
  }
  const isShape = (value: unknown): boolean => value instanceof Shape

  const copy = await copyOf({ isShape, Square, squares: [new Square('a'), new Square('b')], shape: new Shape('s') })

  expect(copy.squares.every((square) => square instanceof copy.Square && copy.isShape(square))).toBe(true)
  expect(copy.squares[1]?.area()).toBe(4)
  expect(copy.isShape(copy.shape)).toBe(true)
  expect(copy.shape instanceof copy.Square).toBe(false)
  expect(copy.Square).not.toBe(Square)
})

test('a class by value has its private fields, and its static parts see what they capture', async () => {
  const defaults = new Map([['limit', 5]])
  class Base {
    static readonly limit = defaults.get('limit')
  }
  class Counter extends Base {
    static made = 0
    #count = 0
    static {
      this.made = (this.limit ?? 0) + 1
    }
    up(): number {
      Counter.made++
      return ++this.#count
    }
  }
  const use = (): number[] => {
    const counter = new Counter()
    counter.up()
    return [counter.up(), Counter.made]
  }

  const copy = await copyOf(use)

  expect(copy()).toEqual([2, 8])
})

test('classes that mention each other come along', async () => {
  class Parent {
    child(): unknown {
      return new Child()
    }
  }
  class Child extends Parent {}

  const copy = await copyOf(Parent)
  const child = new copy().child()

  expect(child).toBeInstanceOf(copy)
  expect((child as Parent).child()).toBeInstanceOf(copy)
})

test('a class that is captured by what it holds in a static field comes along', async () => {
  class Registry {
    static readonly known: unknown[] = []
    static readonly make = (): Registry => new Registry()
  }
  Registry.known.push(Registry, new Registry())

  const copy = await copyOf(Registry)

  expect(copy.known[0]).toBe(copy)
  expect(copy.known[1]).toBeInstanceOf(copy)
  expect(copy.make()).toBeInstanceOf(copy)
})

test('a bound function brings its receiver and its arguments', async () => {
  const counter = { count: 1 }
  function add(this: { count: number }, a: number, b: number): number {
    this.count += a + b
    return this.count
  }
  const bound = add.bind(counter, 10)

  const copy = await copyOf(bound as (b: number) => number)

  expect([copy(5), copy(5), counter.count]).toEqual([16, 31, 1])
})

test('an error of a class by value is a real error of that class', async () => {
  class Declined extends Error {
    override readonly name = 'Declined'
    readonly amount = 3
  }
  const copy = await copyOf({ Declined, error: new Declined('no', { cause: new Declined('why') }) })

  expect(copy.error).toBeInstanceOf(copy.Declined)
  expect(Error.prototype.toString.call(copy.error)).toBe('Declined: no')
  expect(copy.error.cause).toBeInstanceOf(copy.Declined)
  expect(copy.error.amount).toBe(3)
})

test('a captured class that a module exports is that class', async () => {
  const make = (x: number): Point => new Point(x, 0)

  expect((await copyOf(make))(2)).toBeInstanceOf(Point)
})

test('what is written is a snapshot', async () => {
  const list = [1]
  const sum = (): number => list.length
  const { text } = writeGraph(sum, { root, path: 'args', types: NO_TYPES, classesByValue: true })
  list.push(2)

  const copy = (await readGraphText(text, { root, types: NO_TYPES, allowCode: true })) as typeof sum

  expect(copy()).toBe(1)
})

test('a failing static part is an error that names the class', async () => {
  const text = writeGraph(
    [
      class Broken {
        static readonly value: unknown = (globalThis as { missingHere?: unknown }).missingHere ?? null
      },
    ],
    { root, path: 'args', types: NO_TYPES, classesByValue: true },
  ).text.replace('?? null', '.x.y ')

  await expect(readGraphText(text, { root, types: NO_TYPES, allowCode: true })).rejects.toThrow(/Cannot make the class "Broken" again: its static part failed/)
})

test('what was imported for a function travels on as that import', async () => {
  const path: unknown = await resolveImport({ specifier: 'node:path', path: [], origin: undefined }, root)
  const meta = provide('meta', './src/app.ts', root)

  const [pathAgain, metaAgain] = (await copyOf([path, meta])) as [unknown, ImportMeta]

  expect(pathAgain).toBe(path)
  expect(metaAgain.url).toBe((meta as ImportMeta).url)
})

test('a proxy that says what it stands for goes as that', async () => {
  const behind = { at: new Date(0) }
  const proxy = new Proxy({}, { get: (_target, key) => (key === Symbol.for('celeriac.unproxy') ? () => behind : undefined) })

  const { text } = writeGraph([proxy], { root, path: 'args', types: NO_TYPES, classesByValue: true })
  const [came] = (await readGraphText(text, { root, types: NO_TYPES, allowCode: false })) as [unknown]

  expect(came).toStrictEqual(behind)
})

import { describe, expect, test } from 'vitest'
import { type Surroundings, surroundingsOf } from '../../src/functions/free-names.ts'
import { readFunction } from '../../src/functions/function-source.ts'

function surroundings(text: string, isStrict = true): Surroundings {
  const source = readFunction(text)
  if (source === undefined) throw new Error(`Expected a function: ${text}`)
  return surroundingsOf(source.node, isStrict)
}

const namesIn = (text: string, isStrict = true): string[] => surroundings(text, isStrict).names.map(({ name }) => name)
const tiesIn = (text: string): string[] => surroundings(text).ties.map(({ what }) => what)

describe('the variables that a function captures', () => {
  test.each<[string, string[]]>([
    ['() => a', ['a']],
    ['(a) => a + b', ['b']],
    ['function f(a, ...rest) { return f(a, rest, b) }', ['b']],
    ['async (x) => { await y; for await (const z of x) w(z) }', ['y', 'w']],
    ['({ a, b: { c = d }, ...e }, [f, , g = h] = i) => [a, c, e, f, g]', ['d', 'h', 'i']],
    ['(a, b = () => a + c) => b', ['c']],
    ['(a = b) => { var b = 1; return a }', ['b']],
    ['() => { const { a, [b]: c } = d; return c }', ['d', 'b']],
    ['() => { if (x) { let a } return a }', ['x', 'a']],
    ['() => { if (x) { var a } return a }', ['x']],
    ['() => { { function a() {} } return a }', ['a']],
    ['() => { for (let i = 0; i < n; i++); return i }', ['n', 'i']],
    ['() => { for (const k in o) k; for (const v of o) v; return k }', ['o', 'k']],
    ['() => { try { a } catch (e) { e } return e }', ['a', 'e']],
    ['() => { try {} catch ({ message }) { message } }', []],
    ['() => { switch (a) { case b: let c; default: c } return c }', ['a', 'b', 'c']],
    ['() => { a: for (;;) { break a; continue a } }', []],
    ['() => o.a.b[c].d', ['o', 'c']],
    ['() => ({ a: b, c, [d]: 1, e() { return f }, get g() { return h } })', ['b', 'c', 'd', 'f', 'h']],
    ['() => tag`a ${b} c`', ['tag', 'b']],
    ['() => class A extends B { [c] = d; static e = f; static { g; A } #h() { return i } }', ['B', 'c', 'd', 'f', 'g', 'i']],
    ['class A extends B { x = c; static s = A; get [d]() { return e } }', ['c', 'd', 'e']],
    ['() => { class A {} return A }', []],
    ['() => { later(); function later() {} }', []],
    ['() => (function inner() { return inner })() && inner', ['inner']],
    ['() => a?.b?.[c]', ['a', 'c']],
    ['() => new A(...b)', ['A', 'b']],
    ['() => typeof a', ['a']],
    ['() => import(a)', ['a']],
    ['function () { return arguments[0] }', []],
    ['() => { using a = b; return a }', ['b']],
    ['method(a) { return a + b }', ['b']],
    ['async *[computed]() { yield a }', ['a']],
    ['get x() { return a }', ['a']],
    ['#secret() { return a }', ['a']],
    ["'quoted name'(x) { return x }", []],
    ['static(x) { return a }', ['a']],
  ])('of %j are %j', (text, names) => {
    expect(namesIn(text)).toEqual(names)
  })

  test('include no function of a block in sloppy code, where it is one of the whole function', () => {
    expect(namesIn('() => { { function a() {} } return a }', false)).toEqual([])
  })

  test('are known by the members that are used, where nothing else is', () => {
    const names = surroundings("() => { const { a, b: c } = ns; ns.d(ns['e']); all.x; f(all); wrote.y = 1; dynamic[k] }").names

    expect(Object.fromEntries(names.map(({ name, members }) => [name, members]))).toEqual({
      ns: ['a', 'b', 'd', 'e'],
      all: undefined,
      f: undefined,
      wrote: undefined,
      dynamic: undefined,
      k: undefined,
    })
  })

  test('are known by whether only their type is asked for', () => {
    const names = surroundings('() => typeof a + typeof b + b').names

    expect(names.map(({ name, onlyTypeof }) => [name, onlyTypeof])).toEqual([['a', true], ['b', false]])
  })

  test.each(['() => { a = 1 }', '() => a++', '() => { a += 1 }', '() => { [a] = b }', '() => { ({ x: a = 1 } = b) }', '() => { for (a of b); }', '() => { a ??= 1 }'])(
    'are known to be assigned to in %j',
    (text) => {
      const a = surroundings(text).names.find(({ name }) => name === 'a')

      expect(a?.assignedAt).toBe(text.indexOf('a', 6))
    },
  )

  test.each(['(a) => { a = 1 }', '() => { a.b = 1 }', '() => { let a; a = 1 }', '() => { a[b]++ }'])('are not assigned to in %j', (text) => {
    expect(surroundings(text).names.filter(({ assignedAt }) => assignedAt !== undefined)).toEqual([])
  })
})

describe('what ties a function to its place', () => {
  test.each<[string, string[]]>([
    ['() => this', ['this']],
    ['() => () => this.a', ['this']],
    ['() => arguments', ['arguments']],
    ['() => super.a', ['super']],
    ['a() { return super.a }', ['super']],
    ['a() { return this.#b }', ['#b']],
    ['(o) => #b in o', ['#b']],
    ['() => eval("a")', ['eval']],
    ['function () { return this }', []],
    ['() => function () { return [this, arguments, new.target] }', []],
    ['() => ({ a() { return super.a } })', []],
    ['() => class { #b = this; static { this; super.x } c() { return this.#b } }', []],
    ['class extends A { constructor() { super() } }', []],
    ['class { [this.a] = 1 }', ['this']],
    ['() => (0, eval)("a")', []],
    ['(eval2, o) => o.eval("a")', []],
    ['() => { this.a; super.b }', ['this', 'super']],
  ])('in %j is %j', (text, ties) => {
    expect(tiesIn(text)).toEqual(ties)
  })

  test('is a with statement in sloppy code', () => {
    expect(surroundings('function (o) { with (o) { a } }', false).ties.map(({ what }) => what)).toEqual(['with'])
  })

  test('is not the object that a method is called on, which it is known to need', () => {
    expect(surroundings('a() { return this.b }').usesOwnThis).toBe(true)
    expect(surroundings('a() { return () => this.b }').usesOwnThis).toBe(true)
    expect(surroundings('a() { return function () { return this } }').usesOwnThis).toBe(false)
  })
})

test('places of import.meta and import() are known', () => {
  const text = 'async () => [import.meta.url, await import("./a.js")]'
  const { imports, metas } = surroundings(text)

  expect(metas.map(({ start, end }) => text.slice(start, end))).toEqual(['import.meta'])
  expect(imports.map(({ start, end }) => text.slice(start, end))).toEqual(['import("./a.js")'])
})

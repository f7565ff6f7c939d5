import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { UnreachableFunctionError } from '../../src/errors.ts'
import { type FunctionCode, isFunctionCode, placeOfCode } from '../../src/functions/function-code.ts'
import { rebuildFunction } from '../../src/functions/rebuild.ts'

const root = join(import.meta.dirname, 'fixtures')

function make(code: Partial<FunctionCode>, variables: Readonly<Record<string, unknown>> = {}, superclass?: unknown): Function {
  const rebuilding = rebuildFunction({ s: '() => {}', n: '', l: 0, ...code }, Object.keys(variables), root)
  for (const [name, value] of Object.entries(variables)) rebuilding.assign(name, value)
  return rebuilding.make(superclass)
}

describe('a function that is made again', () => {
  test('sees the variables that it is given, which each has for itself', () => {
    const code = { s: '(x) => x + n' }
    const first = make(code, { n: 1 })
    const second = make(code, { n: 10 })

    expect([first(1), second(1), first(1)]).toEqual([2, 11, 2])
  })

  test('may be given them after it was made, so that functions can capture each other', () => {
    const even = rebuildFunction({ s: '(n) => n === 0 || odd(n - 1)', n: 'even', l: 0 }, ['odd'], root)
    const odd = rebuildFunction({ s: '(n) => n !== 0 && even(n - 1)', n: 'odd', l: 1 }, ['even'], root)
    const isEven = even.make()
    even.assign('odd', odd.make())
    odd.assign('even', isEven)

    expect([isEven(4), isEven(5)]).toEqual([true, false])
  })

  test('has the name that its place gave it', () => {
    expect(make({ s: '() => 1', n: 'double' }).name).toBe('double')
    expect(make({ s: '() => 1' }).name).toBe('')
    expect(make({ s: 'class { static name() { return 1 } }', n: 'A', k: 1 }).name).toBeTypeOf('function')
  })

  test('is strict unless its code says that it is not', () => {
    expect(make({ s: 'function () { return this }' })()).toBeUndefined()
    expect(make({ s: 'function () { return this }', j: 1 })()).toBe(globalThis)
  })

  test('names its file and line in stack traces', () => {
    const fails = make({ s: '() => {\n  throw new Error("here")\n}', n: 'fails', u: './src/app.ts', l: 41 })
    const elsewhere = make({ s: '() => { throw new Error("there") }', u: 'file:///other/app.ts', l: 6 })

    expect(stackOf(fails)).toContain(`${join(root, 'src/app.ts')}:43:`)
    expect(stackOf(elsewhere)).toContain('/other/app.ts:7:')
  })

  test('has a name of its own in stack traces where this process applies source maps', () => {
    const fails = { s: '() => { throw new Error("here") }', u: './src/mapped.ts', l: 4 }
    process.setSourceMapsEnabled(true)
    try {
      expect(stackOf(make(fails))).toContain('/src/./mapped.ts:5:')
    } finally {
      process.setSourceMapsEnabled(false)
    }
  })

  test('imports as its file does, or as the one that it was compiled to', async () => {
    const run = 'async () => (await import("./tasks.ts")).add(1, 2)'

    expect(await make({ s: run, u: './closures.ts' })()).toBe(3)
    expect(await make({ s: run.replace('import', '$import'), u: './deep/gone.ts', o: './closures.ts', g: { $import: 'import' } })()).toBe(3)
    await expect(make({ s: run, u: './deep/gone.ts' })()).rejects.toThrow(/Cannot find module/)
  })

  test('has import.meta and what CommonJS gives, of its own file', () => {
    const s = '() => [meta.url, meta.filename, meta.dirname, meta.main, meta.resolve("./x.ts"), meta.resolve("fs"), filename, dirname, require("./common.cjs").multiply(2, 3)]'
    const file = join(root, 'gone.cjs')

    const given = make({ s, u: './gone.cjs', g: { meta: 'meta', require: 'require', filename: 'filename', dirname: 'dirname' } })()

    expect(given).toEqual([`file://${file}`, file, root, false, `file://${join(root, 'x.ts')}`, 'node:fs', file, root, 6])
  })

  test('extends the class that it is given, whether it is a class or what compilers make of one', () => {
    class Base {
      greet(): string {
        return 'hello'
      }
    }
    const Derived = make({ s: 'class Derived extends $superclass { greet() { return `${super.greet()}${mark}` } }', n: 'Derived', k: 1, x: '$superclass' }, { mark: '!' }, Base)
    const Old = make({ s: 'function Old() {}', n: 'Old' }, {}, Base)

    expect(new (Derived as typeof Base)().greet()).toBe('hello!')
    expect(new (Old as unknown as typeof Base)().greet()).toBe('hello')
    expect(Object.getPrototypeOf(Old)).toBe(Base)
    expect(Object.getPrototypeOf((make({ s: 'class extends S {}', k: 1, x: 'S' }, {}, null) as typeof Base).prototype)).toBeNull()
  })

  test('may use the very names that the wrapping uses', () => {
    expect(make({ s: '() => $value + $value$' }, { $value: 1, $value$: 2 })()).toBe(3)
  })

  test('is refused where this Node does not understand its source, or a name is no name', () => {
    expect(() => make({ s: '() => {', n: 'broken', u: './src/app.ts' })).toThrow(/"broken" \(src\/app\.ts:1\) again: .*version of Node/)
    expect(() => make({ s: '() => {' })).toThrow(UnreachableFunctionError)
    expect(() => make({ s: '() => 1' }, { 'a=process.exit()': 1 })).toThrow(/is no name of a variable/)
  })
})

describe('the code of a function', () => {
  const code: FunctionCode = { s: '() => a', n: 'f', u: './a.ts', l: 3, o: './dist/a.js', k: 1, j: 1, x: '$superclass', g: { $importMeta: 'meta' } }

  test('is known by its whole shape', () => {
    expect(isFunctionCode(code)).toBe(true)
    expect(isFunctionCode({ s: '() => 1', n: '', l: 0 })).toBe(true)
  })

  test.each([
    ['s', 1],
    ['s', undefined],
    ['n', null],
    ['u', {}],
    ['l', -1],
    ['l', 1.5],
    ['l', '3'],
    ['o', []],
    ['k', true],
    ['j', 0],
    ['x', 'a b'],
    ['x', ''],
    ['g', []],
    ['g', { 'a b': 'meta' }],
    ['g', { a: 'process' }],
    ['g', null],
  ])('is refused with %s as %j', (key, value) => {
    expect(isFunctionCode({ ...code, [key]: value })).toBe(false)
  })

  test.each([null, undefined, 3, 'code', [], [code]])('is not %j', (value) => {
    expect(isFunctionCode(value)).toBe(false)
  })

  test('says where it was written', () => {
    expect(placeOfCode(code)).toBe('a.ts:4')
    expect(placeOfCode({ s: '', n: '', l: 0 })).toBe('evaluated code')
  })
})

function stackOf(fn: Function): string {
  try {
    fn()
  } catch (error) {
    return (error as Error).stack ?? ''
  }
  throw new Error('Expected it to throw')
}

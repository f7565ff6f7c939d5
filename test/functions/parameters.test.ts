import { describe, expect, test } from 'vitest'
import { bindArguments, isMethod, parameterNames } from '../../src/functions/parameters.ts'

function add(x: number, y: number, z = 0): number {
  return x + y + z
}
class Calculator {
  static async sub(x: number, { y }: { y: number }, ...rest: number[]): Promise<number> {
    return x - y - rest.length
  }
  *'quoted name'(a: number): Generator<number> {
    yield a
  }
  ['computed'](b = 1): number {
    return b
  }
}
const names = (fn: Function): (string | undefined)[] => parameterNames(fn).parameters.map((parameter) => parameter.name)

describe('the parameters of a function', () => {
  test('are read from every form of it', () => {
    expect(names(add)).toEqual(['x', 'y', 'z'])
    expect(names((a: number, b: number) => a + b)).toEqual(['a', 'b'])
    expect(names(async (a: number) => a)).toEqual(['a'])
    expect(names(Calculator.prototype['quoted name'])).toEqual(['a'])
    expect(names(Calculator.prototype.computed)).toEqual(['b'])
    expect(names({ async *both(p: number) { yield p } }.both)).toEqual(['p'])
    expect(names(async function named(q: number) { return q })).toEqual(['q'])
  })

  test('tell defaults, destructuring and a rest', () => {
    expect(parameterNames(add).parameters[2]).toEqual({ name: 'z', hasDefault: true })
    expect(parameterNames(Calculator.sub)).toEqual({
      parameters: [{ name: 'x', hasDefault: false }, { name: undefined, hasDefault: false }],
      rest: true,
    })
  })

  test('have no names where there is no source', () => {
    expect(parameterNames(add.bind(null, 1))).toEqual({ parameters: [{ name: undefined, hasDefault: false }], rest: false })
  })
})

describe('keyword arguments', () => {
  test('bind by name, in any order, beside positional ones', () => {
    expect(bindArguments(add, [1, 2], {})).toEqual([1, 2])
    expect(bindArguments(add, [], { y: 2, x: 1 })).toEqual([1, 2])
    expect(bindArguments(add, [1], { y: 2 })).toEqual([1, 2])
    expect(bindArguments(add, [1], { z: 3, y: 2 })).toEqual([1, 2, 3])
  })

  test('leave a default in between to the function', () => {
    const scaled = (x: number, factor = 2, offset = 0): number => x * factor + offset

    expect(bindArguments(scaled, [1], { offset: 5 })).toEqual([1, undefined, 5])
  })

  test('that are undefined count as given', () => {
    expect(bindArguments(add, [1], { y: undefined })).toEqual([1, undefined])
  })

  test('do not change the arrays they are given with', () => {
    const args = [1]

    bindArguments(add, args, { y: 2 })

    expect(args).toEqual([1])
  })

  test('that are unknown are refused with what is known', () => {
    expect(() => bindArguments(add, [1], { yy: 2 })).toThrow(
      new TypeError("add() got an unexpected keyword argument 'yy'. Did you mean 'y'? It takes 'x', 'y', 'z'."),
    )
    expect(() => bindArguments(add, [1], JSON.parse('{"__proto__": 1}') as Record<string, unknown>)).toThrow(/unexpected keyword argument '__proto__'/)
    expect(() => bindArguments(Calculator.sub, [1], { rest: 1 })).toThrow(/unexpected keyword argument 'rest'/)
    expect(() => bindArguments(add.bind(null, 1), [], { y: 1 })).toThrow(/declare their names with `params`/)
  })

  test('that were given by position too are refused', () => {
    expect(() => bindArguments(add, [1, 2], { y: 3 })).toThrow(/^add\(\) got multiple values for argument 'y'/)
  })

  test('that leave a gap before them are refused', () => {
    expect(() => bindArguments(add, [], { y: 3 })).toThrow(/^add\(\) is missing the argument 'x'/)
    expect(() => bindArguments(add, [], { z: 3 })).toThrow(/missing the argument 'x'/)
  })

  test('bind to declared names instead of those in the source', () => {
    const minified = (e: number, t: number): number => e - t

    expect(bindArguments(minified, [], { right: 1, left: 5 }, ['left', 'right'])).toEqual([5, 1])
    expect(() => bindArguments(minified, [], { e: 1 }, ['left', 'right'])).toThrow(/unexpected keyword argument 'e'/)
  })
})

test('a method is told from a function', () => {
  expect([Calculator.prototype['quoted name'], Calculator.sub, { both() {} }.both].map(isMethod)).toEqual([true, true, true])
  expect([add, () => 1, async (a: number) => a, Calculator, 'text'].map(isMethod)).toEqual([false, false, false, false, false])
})

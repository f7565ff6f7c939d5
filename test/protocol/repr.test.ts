import { describe, expect, test } from 'vitest'
import { argsRepr, kwargsRepr } from '../../src/protocol/repr.ts'

describe('argsRepr and kwargsRepr', () => {
  test('show values as Python does', () => {
    expect(argsRepr([])).toBe('()')
    expect(argsRepr([1])).toBe('(1,)')
    expect(argsRepr([null, true, false, "it's", 1.5, 2n ** 64n])).toBe("(None, True, False, 'it\\'s', 1.5, 18446744073709551616)")
    expect(argsRepr([NaN, Infinity, -Infinity, 1e300, 1e-7, 0.00012])).toBe('(nan, inf, -inf, 1e+300, 1e-07, 0.00012)')
    expect(kwargsRepr({ a: 1, b: [1, 2], c: { d: null }, e: undefined })).toBe("{'a': 1, 'b': [1, 2], 'c': {'d': None}}")
  })

  test('show three levels', () => {
    expect(argsRepr([[1, [2, [3]]], { a: { b: { c: 1 } } }])).toBe("([1, [2, [...]]], {'a': {'b': {...}}})")
  })

  test('show what is not JSON by its kind', () => {
    expect(argsRepr([new Date(0), new Map(), () => 1])).toBe('(<Date object>, <Map object>, <function>)')
  })

  test('cut a text at a blank and never inside a character', () => {
    expect(argsRepr([`${'a'.repeat(500)} ${'b'.repeat(1000)}`])).toBe(`('${'a'.repeat(500)}...',)`)
    expect(argsRepr(['😀'.repeat(1000)])).toBe(`('${'😀'.repeat(511)}...', ...`)
  })

  test('cost the same for a huge value as for a large one', () => {
    let reads = 0
    const huge = new Proxy(Array.from({ length: 100_000 }, () => 'x'), {
      get(target, key, receiver) {
        reads++
        return Reflect.get(target, key, receiver) as unknown
      },
    })

    const text = argsRepr([huge, 'y'.repeat(10_000_000)])

    expect(text.length).toBeLessThan(1100)
    expect(text.endsWith(', ...])')).toBe(true)
    expect(reads).toBeLessThan(2000)
  })
})

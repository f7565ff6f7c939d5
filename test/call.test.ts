import { describe, expect, test } from 'vitest'

import { joinArguments, splitArguments } from '../src/call.ts'
import { InvalidTaskError, kw } from '../src/index.ts'

describe('the arguments of a call', () => {
  test('are positional, but for keywords at the end', () => {
    expect(splitArguments([1, 2])).toEqual({ args: [1, 2], kwargs: {} })
    expect(splitArguments([1, kw({ y: 2 })])).toEqual({ args: [1], kwargs: { y: 2 } })
    expect(splitArguments([kw({})])).toEqual({ args: [], kwargs: {} })
  })

  test('may be plain objects, which are values', () => {
    expect(splitArguments([{ y: 2 }])).toEqual({ args: [{ y: 2 }], kwargs: {} })
  })

  test('are not changed by what happens to the keywords later', () => {
    const values = { y: 2 }
    const call = splitArguments([kw(values)])
    values.y = 3

    expect(call.kwargs).toEqual({ y: 2 })
  })

  test('have their keywords at the end, once', () => {
    expect(() => splitArguments([kw({ y: 2 }), 1])).toThrow(/must be the last argument/)
    expect(() => splitArguments([kw({ y: 2 }), kw({ x: 2 })])).toThrow(InvalidTaskError)
  })

  test('are put together from a list and an object', () => {
    expect(joinArguments([1, kw({ y: 2 })], { z: 3 }, 'apply')).toEqual({ args: [1], kwargs: { y: 2, z: 3 } })
    expect(() => joinArguments('abc' as never, {}, 'apply')).toThrow('apply takes the arguments as an array, e.g. [1, 2], not "abc".')
    expect(() => joinArguments([], [1] as never, 'apply')).toThrow(/keyword arguments as an object/)
  })

  test.each([[null], [[1, 2]], ['text'], [undefined]])('take no %j for keywords', (value) => {
    expect(() => kw(value as never)).toThrow(InvalidTaskError)
  })
})

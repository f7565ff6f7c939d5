import { describe, expect, test } from 'vitest'

import { checkSendOptions, type SendOptions, splitArguments } from '../src/call.ts'
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

  test.each([[null], [[1, 2]], ['text'], [undefined]])('take no %j for keywords', (value) => {
    expect(() => kw(value as never)).toThrow(InvalidTaskError)
  })
})

describe('options for sending', () => {
  test('are kept as they are, without those that are undefined', () => {
    const eta = new Date()

    expect(checkSendOptions({ queue: 'high', eta, priority: 0, shadow: undefined as never }, 'with')).toEqual({ queue: 'high', eta, priority: 0 })
  })

  test('are all checked, and every problem is told at once', () => {
    const wrong = { quue: 'x', priority: 10, queue: '', ignoreResult: 'yes', headers: [1] } as unknown as SendOptions

    expect(() => checkSendOptions(wrong, 'apply')).toThrow(InvalidTaskError)
    expect(() => checkSendOptions(wrong, 'apply')).toThrow(/apply: "quue" is not an option.*"priority" must be.*not 10.*"queue" must be.*"ignoreResult".*"headers"/)
  })

  test('take countdown or eta, not both', () => {
    expect(() => checkSendOptions({ countdown: 1, eta: new Date() }, 'with')).toThrow(/exclude each other/)
  })

  test.each([[{ priority: 1.5 }], [{ priority: -1 }], [{ taskId: '' }], [{ expires: {} }], [{ countdown: new Date() }]])('refuse %j', (options) => {
    expect(() => checkSendOptions(options as SendOptions, 'with')).toThrow(InvalidTaskError)
  })
})

import { describe, expect, test } from 'vitest'

import { InvalidTaskError } from '../src/index.ts'
import { checkSendOptions, type SendOptions } from '../src/send-options.ts'

describe('options for sending', () => {
  test('are kept as they are, without those that are undefined', () => {
    const eta = new Date()

    expect(checkSendOptions({ queue: 'high', eta, priority: 0, shadow: undefined as never }, 'with')).toEqual({ queue: 'high', eta, priority: 0 })
  })

  test('are all checked, and every problem is told at once', () => {
    const wrong = { quue: 'x', priority: 10, queue: '', ignoreResult: 'yes', headers: [1] } as unknown as SendOptions

    expect(() => checkSendOptions(wrong, 'apply')).toThrow(InvalidTaskError)
    expect(() => checkSendOptions(wrong, 'apply')).toThrow(/^apply: "quue" is not an option; did you mean "queue".*"priority" must be.*not 10.*"queue" must be.*"ignoreResult".*"headers"/)
  })

  test('know serializers and compressions by all names of Celery, and refuse others with the reason', () => {
    const options = { serializer: 'application/x-msgpack', compression: 'gzip' } as unknown as SendOptions
    const wrong = { serializer: 'pickle', compression: 'bzip2' } as unknown as SendOptions

    expect(checkSendOptions(options, 'with')).toEqual({ serializer: 'msgpack', compression: 'zlib' })
    expect(() => checkSendOptions(wrong, 'with')).toThrow(/"serializer" cannot use "pickle": reading pickle would run code.* "compression" cannot use "bzip2": Node has no means/)
  })

  test('take countdown or eta, not both', () => {
    expect(() => checkSendOptions({ countdown: 1, eta: new Date() }, 'with')).toThrow(/exclude each other/)
  })

  test.each([
    ['eta', 'tomorrow', /"eta" must be a Date or an ISO 8601 string, not "tomorrow"/],
    ['eta', new Date('never'), /"eta" must be .*, not an invalid Date/],
    ['expires', 'abc', /"expires" must be .*, not "abc"/],
    ['expires', Number.NaN, /"expires" must be .*, not NaN/],
    ['expires', -1, /"expires"/],
    ['expires', new Date('never'), /"expires" must be .*, not an invalid Date/],
    ['countdown', 'soon', /"countdown"/],
    ['countdown', Number.NaN, /"countdown"/],
    ['countdwn', 1, /"countdwn" is not an option; did you mean "countdown"/],
    ['toString', 1, /"toString" is not an option/],
    ['constructor', 1, /"constructor" is not an option/],
  ])('name %s when it is %s', (name, value, message) => {
    expect(() => checkSendOptions({ [name]: value }, 'with')).toThrow(InvalidTaskError)
    expect(() => checkSendOptions({ [name]: value }, 'with')).toThrow(message)
  })

  test('are an object', () => {
    expect(() => checkSendOptions('high' as never, 'with')).toThrow('with takes an object of options, not "high".')
    expect(() => checkSendOptions(null as never, 'with')).toThrow(InvalidTaskError)
  })

  test.each([[{ priority: 1.5 }], [{ priority: -1 }], [{ taskId: '' }], [{ expires: {} }], [{ countdown: new Date() }]])('refuse %j', (options) => {
    expect(() => checkSendOptions(options as SendOptions, 'with')).toThrow(InvalidTaskError)
  })
})

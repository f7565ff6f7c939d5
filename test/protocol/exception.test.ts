import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ContentDisallowed,
  DecodeError,
  EncodeError,
  NotRegistered,
  RemoteError,
  TaskRevokedError,
  TimeoutError,
  WorkerLostError,
} from '../../src/errors.ts'
import { decodeException, encodeException, errorFromWire, type KnownErrors } from '../../src/protocol/exception.ts'
import { parseJson } from '../../src/protocol/json.ts'

function wire(thrown: unknown, maxLength?: number): Readonly<Record<string, unknown>> {
  return parseJson(encodeException(thrown, { maxLength }).text) as Readonly<Record<string, unknown>>
}

function travel(thrown: unknown, known?: KnownErrors): Error {
  return errorFromWire(decodeException(wire(thrown)), { known })
}

class PaymentError extends Error {
  readonly status: number

  constructor(status: number) {
    super(`Payment failed with ${status}`)
    this.status = status
  }
}

describe('encodeException', () => {
  test('writes what Python reads', () => {
    expect(wire(new RangeError('too large'))).toMatchObject({ exc_type: 'RangeError', exc_message: ['too large'], exc_module: 'javascript' })
  })

  test('names the modules in which Celery has the same class', () => {
    expect(wire(new TaskRevokedError('expired'))).toMatchObject({ exc_type: 'TaskRevokedError', exc_message: ['expired'], exc_module: 'celery.exceptions' })
    expect(wire(new NotRegistered('No such task', 'a.b'))).toMatchObject({ exc_type: 'NotRegistered', exc_message: ['a.b'], exc_module: 'celery.exceptions' })
    expect(wire(new WorkerLostError('gone'))).toMatchObject({ exc_type: 'WorkerLostError', exc_module: 'billiard.exceptions' })
    expect(wire(new EncodeError('no', 'result'))).toMatchObject({ exc_type: 'EncodeError', exc_module: 'kombu.exceptions' })
  })

  test('gives the stack with its causes and a line for logs', () => {
    const { traceback, summary } = encodeException(new Error('outer', { cause: new TypeError('inner') }))
    expect(summary).toBe('Error: outer')
    expect(traceback).toMatch(/^Error: outer\n {4}at .*exception\.test\.ts[^]*\nCaused by: TypeError: inner\n {4}at /)
  })

  const circular: Record<string, unknown> = { name: 'x' }
  circular['self'] = circular
  const raise = (): never => {
    throw new Error('nothing to see here')
  }
  const angry = new Proxy(new Error('x'), { get: raise, getPrototypeOf: raise, ownKeys: raise })
  const getters = Object.defineProperties(new Error('kept'), { data: { enumerable: true, get: raise }, stack: { get: raise } })

  test.each([
    ['undefined', undefined, 'The task threw undefined, which is not an Error'],
    ['null', null, 'The task threw null'],
    ['a text', 'just text', 'just text'],
    ['a number', 5, 'The task threw 5'],
    ['a symbol', Symbol('s'), 'The task threw Symbol(s)'],
    ['a circular object', circular, '[Circular *1]'],
    ['a proxy that throws', angry, 'The task threw'],
    ['an error whose getters throw', getters, 'kept'],
    ['an error with a message that is none', Object.assign(new Error(), { message: { a: 1 } }), '{ a: 1 }'],
  ])('never fails: %s gives a text', (_title, thrown, expected) => {
    const { text, summary } = encodeException(thrown)
    expect(String((parseJson(text) as { exc_message: unknown[] }).exc_message[0])).toContain(expected)
    expect(summary).toContain(expected.slice(0, 10))
  })

  test('cuts what is huge, with a note', () => {
    const { text, traceback, summary } = encodeException(new Error('x'.repeat(5_000_000)), { maxLength: 1000 })
    expect(text.length).toBeLessThan(10_000)
    expect(text).toContain('… (cut, 5,000,000 characters in all)')
    expect((traceback ?? '').length).toBeLessThan(10_000)
    expect(summary.length).toBeLessThan(1100)
  })

  test('ends a circle of causes', () => {
    const error = new Error('round')
    error.cause = error
    expect(encodeException(error).text.match(/exc_cause/g)).toHaveLength(5)
  })

  test('keeps a class name that Python could take for a path out of it', () => {
    expect(wire(Object.assign(new Error('x'), { name: 'os.system' }))['exc_type']).toBe('Error')
  })

  test('never throws', () => {
    const anything = fc.anything({ withMap: true, withDate: true, withNullPrototype: true, withTypedArray: true })
    expect(() => fc.assert(fc.property(anything, (thrown) => parseJson(encodeException(thrown).text) !== undefined))).not.toThrow()
  })
})

describe('errorFromWire', () => {
  test.each([new Error('a'), new TypeError('b'), new RangeError('c'), new SyntaxError('d'), new URIError('e')])('rebuilds %s', (error) => {
    const rebuilt = travel(error)
    expect(rebuilt.constructor).toBe(error.constructor)
    expect(rebuilt.message).toBe(error.message)
    expect(rebuilt.stack).toBe(error.stack)
  })

  test.each([
    new WorkerLostError('gone'),
    new NotRegistered('No "a" here', 'a'),
    new TaskRevokedError('terminated'),
    new TimeoutError('late'),
    new EncodeError('result.x is a Map', 'result.x'),
    new DecodeError('no'),
    new ContentDisallowed('no pickle', 'application/x-python-serialize'),
  ])('rebuilds our own %s with what it knows', (error) => {
    const rebuilt = travel(error)
    expect(rebuilt.constructor).toBe(error.constructor)
    expect(Object.entries(rebuilt)).toEqual(Object.entries(error))
    expect(rebuilt.message).toBe(error.message)
  })

  test('restores causes, codes and data', () => {
    const error = Object.assign(new Error('outer', { cause: Object.assign(new TypeError('inner'), { code: 'E_INNER' }) }), { code: 'E_OUTER', port: 5 })
    expect(travel(error)).toMatchObject({ code: 'E_OUTER', port: 5, cause: { message: 'inner', code: 'E_INNER' } })
    expect(travel(error).cause).toBeInstanceOf(TypeError)
  })

  test('restores what an AggregateError holds', () => {
    const error = new AggregateError([new TypeError('first'), 'second'], 'both failed')

    const rebuilt = travel(error) as AggregateError

    expect(rebuilt).toBeInstanceOf(AggregateError)
    expect(rebuilt.message).toBe('both failed')
    expect(rebuilt.errors).toMatchObject([{ message: 'first' }, { message: 'second' }])
    expect(rebuilt.errors[0]).toBeInstanceOf(TypeError)
    expect(JSON.parse(encodeException(new AggregateError(Array.from({ length: 100 }, () => error))).text)).toMatchObject({ exc_errors: { length: 32 } })
  })

  test('makes an error of a class of the application when it is known, a RemoteError otherwise', () => {
    const known: KnownErrors = new Map([['PaymentError', PaymentError]])
    const rebuilt = travel(new PaymentError(402), known)

    expect(rebuilt).toBeInstanceOf(PaymentError)
    expect(rebuilt).toMatchObject({ name: 'PaymentError', message: 'Payment failed with 402', status: 402 })
    expect(travel(new PaymentError(402))).toMatchObject({ name: 'PaymentError', message: 'Payment failed with 402', excModule: 'javascript', status: 402 })
    expect(travel(new PaymentError(402))).toBeInstanceOf(RemoteError)
  })

  test('makes a RemoteError of a Python exception, with its traceback', () => {
    const decoded = decodeException({ exc_type: 'ValueError', exc_message: ['boom', 42], exc_module: 'builtins' })
    const error = errorFromWire(decoded, { traceback: 'Traceback (most recent call last):\n  File "demo.py"' })

    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({ name: 'ValueError', message: 'boom, 42', excArgs: ['boom', 42], excModule: 'builtins' })
    expect(error.stack).toBe('ValueError: boom, 42\nTraceback (most recent call last):\n  File "demo.py"')
  })

  test('rebuilds what Python workers report about their tasks', () => {
    const notRegistered = errorFromWire(decodeException({ exc_type: 'NotRegistered', exc_message: ['no.such.task'], exc_module: 'celery.exceptions' }))
    expect(notRegistered).toBeInstanceOf(NotRegistered)
    expect(notRegistered).toMatchObject({ taskName: 'no.such.task', message: expect.stringContaining('Task "no.such.task" is not registered') })
    expect(errorFromWire(decodeException({ exc_type: 'TaskRevokedError', exc_message: ['expired'], exc_module: 'celery.exceptions' }))).toMatchObject({ reason: 'expired' })
  })

  test('does not take a class of the same name from elsewhere for ours', () => {
    expect(errorFromWire(decodeException({ exc_type: 'TimeoutError', exc_message: [], exc_module: 'builtins' }))).toBeInstanceOf(RemoteError)
    expect(errorFromWire(decodeException({ exc_type: 'TypeError', exc_message: ['x'], exc_module: 'builtins' }))).toBeInstanceOf(RemoteError)
  })
})

describe('decodeException', () => {
  test.each([
    [null, 'Exception', []],
    [{}, 'Exception', []],
    ['ValueError("x")', 'Exception', ['ValueError("x")']],
    [{ exc_message: ['x'] }, 'Exception', [{ exc_message: ['x'] }]],
    [{ exc_type: 'KeyError', exc_message: 'missing', exc_module: null }, 'KeyError', ['missing']],
    [{ exc_type: 'Outer.InnerError', exc_message: [], exc_module: 'demo' }, 'Outer.InnerError', []],
    [5, 'Exception', [5]],
  ])('takes %j', (result, excType, excMessage) => {
    expect(decodeException(result)).toMatchObject({ excType, excMessage })
    expect(errorFromWire(decodeException(result))).toBeInstanceOf(Error)
  })

  test('with errorFromWire never throws, whatever was stored', () => {
    const hostile = fc.dictionary(fc.constantFrom('exc_type', 'exc_message', 'exc_module', 'exc_cause', 'exc_fields', 'exc_stack', 'exc_code', 'exc_text'), fc.jsonValue())
    const known = fc.record({ exc_type: fc.constantFrom('Error', 'NotRegistered', 'EncodeError', '__proto__'), exc_module: fc.constantFrom('celeriac', 'javascript'), exc_message: fc.jsonValue() })
    const stored = fc.oneof(fc.jsonValue(), hostile, known, fc.constant({ exc_type: 'A', exc_message: [{ toString: 1, valueOf: 2 }, 2n ** 64n] }))
    const rebuilt = fc.property(stored, (result) => errorFromWire(decodeException(result)) instanceof Error)
    expect(() => fc.assert(rebuilt, { numRuns: 500 })).not.toThrow()
  })
})

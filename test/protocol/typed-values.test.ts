import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBody } from '../../src/protocol/body.ts'
import { decodeException, errorFromWire } from '../../src/protocol/exception.ts'
import { restoreTypes } from '../../src/protocol/typed-values.ts'
import { goldenMessage } from './golden.ts'

const typed = (type: unknown, value: unknown): unknown => ({ __type__: type, __value__: value })

describe('restoreTypes', () => {
  test.each([
    ['datetime', '2024-01-02T03:04:05.678901', new Date('2024-01-02T03:04:05.678Z')],
    ['datetime', '2024-01-02T03:04:05+02:00', new Date('2024-01-02T01:04:05Z')],
    ['date', '2024-01-02', '2024-01-02'],
    ['time', '01:02:03', '01:02:03'],
    ['decimal', '1.10', '1.10'],
    ['uuid', { hex: '00000000000000000000000000000005' }, '00000000-0000-0000-0000-000000000005'],
    ['bytes', 'é', Buffer.from('é')],
    ['base64', 'AP8=', Buffer.from([0, 255])],
  ])('makes of %s %j what it stands for, at any depth', (type, value, restored) => {
    expect(restoreTypes([{ a: typed(type, value) }])).toEqual([{ a: restored }])
  })

  test.each([
    typed('datetime', 'yesterday'),
    typed('datetime', 5),
    typed('base64', '***'),
    typed('uuid', 'x'),
    typed('uuid', { hex: '../../etc' }),
    typed('set', []),
    typed('__proto__', 'x'),
    { __type__: 'bytes', __value__: 'x', more: 1 },
    { __type__: 'bytes' },
  ])('leaves %j alone', (value) => {
    expect(restoreTypes(value)).toBe(value)
  })

  test('keeps a key __proto__ an ordinary key', () => {
    const read = JSON.parse('{"__proto__": {"__type__": "bytes", "__value__": "x"}}') as object
    const restored = restoreTypes(read) as object
    expect(Object.getPrototypeOf(restored)).toBe(Object.prototype)
    expect(Object.entries(restored)).toEqual([['__proto__', Buffer.from('x')]])
  })

  test('never throws, and gives back what has none of it', () => {
    const type = fc.constantFrom('datetime', 'date', 'time', 'decimal', 'uuid', 'bytes', 'base64', 'x')
    const hostile = fc.record({ __type__: fc.oneof(type, fc.jsonValue()), __value__: fc.jsonValue() })
    const plain = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__type__'))
    expect(() => fc.assert(fc.property(hostile, (value) => restoreTypes(value) !== undefined))).not.toThrow()
    expect(() => fc.assert(fc.property(plain, (value) => restoreTypes(value) === value))).not.toThrow()
  })
})

describe('messages of kombu 5.3 and later', () => {
  test('have their dates read', () => {
    expect(decodeBody(goldenMessage('celery56_datetimes_json').message, { restoreTypes: true }).args).toEqual([
      ...[new Date('2024-01-02T03:04:05.678Z'), new Date('2024-01-02T03:04:05Z')],
      ...['2024-01-02', '01:02:03', '00000000-0000-0000-0000-000000000005', '1.10'],
    ])
  })

  test('have their bytes read', () => {
    const { args } = decodeBody(goldenMessage('celery56_bytes_json').message, { restoreTypes: true })
    expect(args.length).toBeGreaterThan(0)
    expect(args.flat().some((value) => Buffer.isBuffer(value))).toBe(true)
  })

  test('keep them as they are where the sender may have meant them', () => {
    expect(decodeBody(goldenMessage('celery56_bytes_json').message).args[0]).toHaveProperty('__type__')
  })

  test('have the arguments of their errors read', () => {
    const error = errorFromWire(decodeException({ exc_type: 'ValueError', exc_message: [typed('decimal', '1.5')], exc_module: 'builtins' }))
    expect(error.message).toBe('1.5')
  })
})

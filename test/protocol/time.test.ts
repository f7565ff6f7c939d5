import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError, EncodeError } from '../../src/errors.ts'
import { formatTime, parseTime } from '../../src/protocol/time.ts'

describe('formatTime', () => {
  test('writes six fraction digits and an explicit offset', () => {
    expect(formatTime(Date.UTC(2030, 0, 2, 3, 4, 5))).toBe('2030-01-02T03:04:05.000000+00:00')
    expect(formatTime(Date.UTC(2030, 0, 2, 3, 4, 5, 678) + 0.901)).toBe('2030-01-02T03:04:05.678901+00:00')
  })

  test('writes the time of the zone it is given', () => {
    expect(formatTime(Date.UTC(2030, 0, 2, 3, 4, 5), 120)).toBe('2030-01-02T05:04:05.000000+02:00')
    expect(formatTime(Date.UTC(2030, 0, 2, 3, 4, 5), -570)).toBe('2030-01-01T17:34:05.000000-09:30')
  })

  test.each([Number.NaN, Infinity, 1e18, -1e18])('refuses %d, which Python has no datetime for', (ms) => {
    expect(() => formatTime(ms)).toThrow(EncodeError)
  })
})

describe('parseTime', () => {
  test.each([
    ['2020-01-01T00:00:00', '2020-01-01T00:00:00.000Z'],
    ['2020-01-01', '2020-01-01T00:00:00.000Z'],
    ['2020-01-01 10:20', '2020-01-01T10:20:00.000Z'],
    ['2020-01-01T00:00:00.123Z', '2020-01-01T00:00:00.123Z'],
    ['2020-01-01T00:00:00.5', '2020-01-01T00:00:00.500Z'],
    ['2020-01-01T00:00:00.120000', '2020-01-01T00:00:00.120Z'],
    ['2020-01-01T00:00:00+02:00', '2019-12-31T22:00:00.000Z'],
    ['2020-01-01T00:00:00-0930', '2020-01-01T09:30:00.000Z'],
    ['2020-02-29T23:59:59+02', '2020-02-29T21:59:59.000Z'],
  ])('reads %s', (text, expected) => {
    expect(new Date(parseTime(text)).toISOString()).toBe(expected)
  })

  test('keeps microseconds as a fraction of a millisecond', () => {
    expect(parseTime('2026-11-20T06:27:28.978191+00:00') - Date.UTC(2026, 10, 20, 6, 27, 28)).toBeCloseTo(978.191, 3)
  })

  test.each([
    ['', 'not a date', '2020', '2020-13-01', '2020-02-30', '2020-01-01T24:00:00', '2020-01-01T00:60', '0000-01-01'],
    [1700000000, null, undefined, true, {}, 10n, '2020-01-01T00:00:00+99:00', ' 2020-01-01', '2020-01-01T00:00:00 +02:00'],
  ].flat())('refuses %s', (value) => {
    expect(() => parseTime(value, 'header "eta"')).toThrow(DecodeError)
    expect(() => parseTime(value, 'header "eta"')).toThrow(/^Cannot read header "eta": expected /)
  })

  test('reads back whatever formatTime writes', () => {
    const ms = fc.integer({ min: Date.parse('0002-01-01T00:00:00Z'), max: Date.parse('9998-12-31T00:00:00Z') })
    const comesBack = fc.property(ms, fc.integer({ min: -720, max: 840 }), (time, offset) => parseTime(formatTime(time, offset)) === time)
    expect(() => fc.assert(comesBack)).not.toThrow()
  })
})

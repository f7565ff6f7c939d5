import { expect, test } from 'vitest'
import { type Duration, toMs } from '../../src/config/duration.ts'
import { InvalidTaskError } from '../../src/errors.ts'

test.each<[Duration, number]>([
  [10, 10_000],
  [0, 0],
  [0.25, 250],
  [1.1, 1100],
  ['500ms', 500],
  ['10s', 10_000],
  ['1.5s', 1500],
  ['5m', 300_000],
  ['2h', 7_200_000],
  [' 2 h ', 7_200_000],
])('%j is %i ms', (value, ms) => {
  expect(toMs(value, 'timeout')).toBe(ms)
})

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '', '10', 'ten', '-5s', '1d', '5m 3s', null, {}, 10n])('%s is no duration', (value) => {
  expect(() => toMs(value as Duration, 'timeout')).toThrow(InvalidTaskError)
  expect(() => toMs(value as Duration, 'timeout')).toThrow(/^timeout must be seconds as a number, or text such as "500ms", "10s", "5m" or "2h", not /)
})

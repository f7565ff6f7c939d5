import { types } from 'node:util'
import { formatTime } from './time.ts'
import { DEEPEST_WRITTEN, type Refuse, type TreeFormat, writeTree } from './tree-writer.ts'

/** Python refuses to read an integer of more digits; so do we. */
export const MOST_DIGITS = 4300

/** JSON as Python writes it: with `NaN`, infinities and integers of any size. */
export const JSON_FORMAT: TreeFormat<string> = {
  deepest: DEEPEST_WRITTEN,
  scalar: String,
  number: (value) => (isBeyond(value) ? `${value}.0` : String(value)),
  bigint: digitsOf,
  text: (value) => JSON.stringify(value),
  list: (items) => `[${items.join(',')}]`,
  object: (entries) => `{${entries.map(([key, item]) => `${key}:${item}`).join(',')}}`,
}

const JSON_WITH_TIMES: TreeFormat<string> = { ...JSON_FORMAT, special: (value, refuse) => timeOf(value, refuse, JSON.stringify) }

/**
 * The careful half of `stringifyJson`: writes what `JSON.stringify` does not know, and refuses the rest.
 * `withTimes` writes each Date as ISO 8601 text, which is what both sides of Celery take it for.
 * @throws {@link EncodeError} with the exact path of the first value that cannot be written.
 */
export function writeJson(value: unknown, path: string, withTimes = false): string {
  return writeTree(value, path, withTimes ? JSON_WITH_TIMES : JSON_FORMAT)
}

/** Whether a whole number is so large that an integer of the same digits would be read as a BigInt. From 1e21 on it has an exponent. */
export function isBeyond(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21
}

/** The digits of a BigInt, unless nobody would read so many. */
export function digitsOf(value: bigint, refuse: Refuse): string {
  const digits = String(value)
  if (digits.length > MOST_DIGITS) throw refuse(`has more than ${MOST_DIGITS} digits, which other readers refuse`, 'pass it as text')
  return digits
}

/** A Date as Celery writes times; undefined for any other object. */
export function timeOf(value: object, refuse: Refuse, write: (text: string) => string): string | undefined {
  if (!types.isDate(value)) return undefined
  const ms = value.getTime()
  if (Number.isNaN(ms)) throw refuse('is an invalid Date', 'pass a Date that is a time, or null')
  return write(formatTime(ms))
}

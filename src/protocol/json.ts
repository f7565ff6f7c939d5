import { DecodeError } from '../errors.ts'
import { endOfString, isTooDeep } from './json-depth.ts'
import { MOST_DIGITS, writeJson } from './json-writer.ts'
import { malformed } from './malformed.ts'
import { DEEPEST_WRITTEN } from './tree-writer.ts'

/** Deepest nesting we read: what Python can write. */
export const DEEPEST_READ: number = 1000

/**
 * Writes a plain JSON tree: null, booleans, numbers, strings, arrays and plain objects.
 *
 * `path` names the value in errors, e.g. `args`. Properties that are undefined are dropped, as JSON does; a
 * value that is undefined itself is written as null. Beyond JSON, and as Python writes them: `NaN`,
 * `Infinity`, `-Infinity`, and the digits of a BigInt beyond 2^53. A number beyond 2^53 is written as a float, so
 * that each kind comes back as what it was. `toJSON` is not called.
 * @throws {@link EncodeError} with the exact path of the first value that is none of these.
 */
export function stringifyJson(value: unknown, path: string): string {
  // One cheap look allows the native writer; whatever it does not know is written or refused by the careful one.
  if (isSimple(value, DEEPEST_WRITTEN)) return JSON.stringify(value)
  return value === undefined ? 'null' : writeJson(value, path)
}

/**
 * {@link stringifyJson} for those who may be Python: a Date becomes ISO 8601 text with its offset, which is what a datetime is in
 * Celery's JSON.
 * @throws {@link EncodeError} as that does.
 */
export function stringifyWithTimes(value: unknown, path: string): string {
  if (isSimple(value, DEEPEST_WRITTEN)) return JSON.stringify(value)
  return value === undefined ? 'null' : writeJson(value, path, true)
}

/**
 * Refuses what {@link stringifyJson} would, without writing the rest.
 * @throws {@link EncodeError} as that does.
 */
export function assertJson(value: unknown, path: string): void {
  if (value !== undefined && !isSimple(value, DEEPEST_WRITTEN)) writeJson(value, path)
}

/** Whether `JSON.stringify` writes this as {@link stringifyJson} does, which may also be as deep as what we read. */
export function isPlainJson(value: unknown): boolean {
  return isSimple(value, DEEPEST_READ)
}

/** Whether it is nested in at most so many levels, and nothing in it needs a careful writer. */
function isSimple(value: unknown, levels: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER
    case 'object':
      if (value === null) return true
      if (levels === 0) return false
      return Array.isArray(value) ? isSimpleArray(value, levels - 1) : isSimpleObject(value, levels - 1)
    default:
      return false
  }
}

function isSimpleArray(values: readonly unknown[], levels: number): boolean {
  for (let index = 0; index < values.length; index++) {
    if (!isSimple(values[index], levels)) return false
  }
  return true
}

function isSimpleObject(value: object, levels: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value) return false
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key]
    if (item !== undefined && !isSimple(item, levels)) return false
  }
  return true
}

/**
 * Reads JSON as Python writes it.
 *
 * Beyond JSON: bare `NaN`, `Infinity` and `-Infinity`, and integers beyond 2^53, which become BigInt. A key
 * `__proto__` is an ordinary key. `what` names the text in errors.
 * @throws {@link DecodeError} when the text is not JSON or is nested deeper than 1,000 levels.
 */
export function parseJson(text: string, what = 'JSON'): unknown {
  // Each level needs a bracket on both sides, so a short text cannot be too deep.
  if (text.length > 2 * DEEPEST_READ && isTooDeep(text, DEEPEST_READ)) throw new DecodeError(`Cannot read ${what}: it is nested deeper than ${DEEPEST_READ} levels.`)
  try {
    return isUnusual(text) ? parseUnusual(text) : JSON.parse(text)
  } catch (error) {
    throw malformed(what, 'a JSON text', text, { cause: error })
  }
}

/** Whether the text may hold what `JSON.parse` refuses or rounds. */
function isUnusual(text: string): boolean {
  return text.includes('NaN') || text.includes('Infinity') || hasLongInteger(text)
}

/** An integer beyond 2^53 has 16 digits or more, so it covers one place in every 16: only those are looked at. */
function hasLongInteger(text: string): boolean {
  for (let place = 15; place < text.length; place += 16) {
    if (!isDigit(text, place)) continue
    let start = place
    let end = place
    while (isDigit(text, start - 1)) start--
    while (isDigit(text, end + 1)) end++
    if (end - start >= 15 && text[start - 1] !== '.') return true
    place = end
  }
  return false
}

function isDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code >= 0x30 && code <= 0x39
}

/** `JSON.parse` with the source of each number, which the library's types do not know yet. */
const parseWithSource = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown

function parseUnusual(text: string): unknown {
  const nan = unusedNumber(text)
  return parseWithSource(replaceTokens(text, nan), (_key, value, { source }) => {
    if (typeof value !== 'number' || source === undefined) return value
    if (source === nan) return Number.NaN
    return Number.isSafeInteger(value) || !/^-?\d+$/.test(source) ? value : toBigInt(source)
  })
}

function toBigInt(digits: string): bigint {
  if (digits.length > MOST_DIGITS) throw new SyntaxError(`an integer has more than ${MOST_DIGITS} digits`)
  return BigInt(digits)
}

/** A way to write zero that the text does not use, to stand for NaN. Random, so that no text can make the search long. */
function unusedNumber(text: string): string {
  let number: string
  do number = `-0e${Math.floor(Math.random() * 1e9)}`
  while (text.includes(number))
  return number
}

/** Turns the bare tokens outside strings into numbers; the blanks keep `5Infinity` from becoming one number. */
function replaceTokens(text: string, nan: string): string {
  const token = /"|-?Infinity|NaN/g
  let replaced = ''
  let from = 0
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    if (match[0] === '"') {
      token.lastIndex = endOfString(text, match.index)
      continue
    }
    const number = match[0] === 'NaN' ? nan : match[0].replace('Infinity', '1e999')
    replaced += `${text.slice(from, match.index)} ${number} `
    from = token.lastIndex
  }
  return replaced + text.slice(from)
}

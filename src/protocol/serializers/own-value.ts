import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { DecodeError } from '../../errors.ts'
import { DEEPEST_READ } from '../json.ts'

/**
 * Makes plain values of what a library has read: objects of Maps, numbers of BigInts that are small enough, Buffers of bytes.
 *
 * Keys become text, as in JSON: `null`, `true`, the digits of a number. A key `__proto__` is an ordinary key. What is there twice, by an
 * alias, is copied, until there are `most` values.
 * @throws {@link DecodeError} for nesting beyond 1,000 levels, too many values, and keys that are lists or objects.
 */
export function ownValue(read: unknown, format: string, most: number): unknown {
  let count = 0

  const own = (value: unknown, depth: number): unknown => {
    if (++count > most) throw new DecodeError(`Cannot read ${format}: its aliases make more than ${most} values.`)
    if (typeof value === 'bigint') return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
    if (typeof value !== 'object' || value === null) return value
    if (types.isUint8Array(value)) return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    if (types.isDate(value)) return ownDate(value)
    if (depth === DEEPEST_READ) throw new DecodeError(`Cannot read ${format}: it is nested deeper than ${DEEPEST_READ} levels.`)
    if (Array.isArray(value)) return value.map((item) => own(item, depth + 1))
    if (types.isSet(value)) return new Set([...value].map((item) => own(item, depth + 1)))
    const entries = types.isMap(value) ? value.entries() : Object.entries(value)
    const object: Record<string, unknown> = {}
    for (const [key, item] of entries) setOwn(object, ownKey(key), own(item, depth + 1))
    return object
  }

  const ownDate = (date: Date): Date => {
    if (Number.isNaN(date.getTime())) throw new DecodeError(`Cannot read ${format}: it has a time that is none.`)
    return date
  }

  const ownKey = (key: unknown): string => {
    if (typeof key === 'string') return key
    if (typeof key === 'object' && key !== null) throw new DecodeError(`Cannot read ${format}: a key of an object is no text but ${Array.isArray(key) ? 'a list' : 'an object'}.`)
    return String(key)
  }

  return own(read, 0)
}

/** As `object[key] = value`, but for `__proto__`, where that would change the prototype. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  else object[key] = value
}

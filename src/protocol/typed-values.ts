import { Buffer } from 'node:buffer'
import { isObject } from './malformed.ts'
import { parseTime } from './time.ts'

/**
 * Replaces the objects in which kombu 5.3 and later send what JSON has no word for, `{"__type__", "__value__"}`, at any depth.
 *
 * `datetime` becomes a Date, without an offset in UTC; `bytes` and `base64` a Buffer; `date`, `time`, `decimal` and `uuid` the text that
 * older versions send for them. What has another type, or a value that is none of it, stays as it is. A tree without any is given
 * back itself.
 */
export function restoreTypes(value: unknown): unknown {
  if (Array.isArray(value)) return restoreItems(value)
  if (!isObject(value)) return value
  const entries = Object.entries(value)
  if (entries.length === 2 && Object.hasOwn(value, '__type__') && Object.hasOwn(value, '__value__')) {
    const restored = restore(value['__type__'], value['__value__'])
    if (restored !== undefined) return restored
  }
  let changed: Record<string, unknown> | undefined
  for (const [key, item] of entries) {
    const restored = restoreTypes(item)
    if (restored === item) continue
    changed ??= Object.fromEntries(entries)
    Object.defineProperty(changed, key, { value: restored, enumerable: true, configurable: true, writable: true })
  }
  return changed ?? value
}

function restoreItems(items: readonly unknown[]): readonly unknown[] {
  let changed: unknown[] | undefined
  for (let index = 0; index < items.length; index++) {
    const restored = restoreTypes(items[index])
    if (restored !== items[index]) (changed ??= [...items])[index] = restored
  }
  return changed ?? items
}

function restore(type: unknown, value: unknown): unknown {
  if (type === 'uuid') return isObject(value) ? restoreUuid(value['hex']) : undefined
  if (typeof value !== 'string') return undefined
  switch (type) {
    case 'datetime':
      return restoreTime(value)
    case 'bytes':
      return Buffer.from(value)
    case 'base64':
      return /^[A-Za-z0-9+/]*={0,2}\s*$/.test(value) ? Buffer.from(value, 'base64') : undefined
    case 'date':
    case 'time':
    case 'decimal':
      return value
    default:
      return undefined
  }
}

function restoreTime(text: string): Date | undefined {
  try {
    return new Date(parseTime(text))
  } catch {
    return undefined
  }
}

function restoreUuid(hex: unknown): string | undefined {
  const parts = typeof hex === 'string' ? /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(hex) : null
  return parts?.slice(1).join('-')
}

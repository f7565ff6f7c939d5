import type { WireFields, WireValue } from './document.ts'
import type { NodeWriter } from './node-writer.ts'
import { Refusal } from './refusal.ts'

/**
 * Writes own fields. `isMet`: the object was met with them, as plain data is.
 *
 * Keys of data that are symbols are left out, as by JSON. @throws Refusal for a captured getter, and for such a key of anything else.
 */
export function writeFields(object: object, keys: readonly (string | symbol)[], writer: NodeWriter, isMet = false): WireFields {
  if (keys.length === 0) return {}
  const k: string[] = []
  const w: WireValue[] = []
  const e: number[] = []
  for (const key of keys) {
    if (typeof key === 'symbol' && isMet && !writer.isCaptured) continue
    if (typeof key === 'symbol') throw new Refusal(`has a key that is a symbol, ${String(key)}`, 'use a string as the key, or pass a copy without it')
    const descriptor = Object.getOwnPropertyDescriptor(object, key)
    if (descriptor === undefined) continue
    if (descriptor.enumerable !== true) e.push(k.length)
    k.push(key)
    const value = readOwn(object, key, descriptor, writer)
    w.push(isMet && descriptor.enumerable === true ? writer.member(value, key) : writer.value(value, key))
  }
  return { k, w, ...(e.length > 0 && { e }) }
}

/** The value of an own property. A getter is read once, as JSON does. @throws Refusal for one that code would read again later. */
export function readOwn(object: object, key: string | number, descriptor: PropertyDescriptor, writer: NodeWriter): unknown {
  if ('value' in descriptor) return descriptor.value
  if (!writer.isCaptured) return Reflect.get(object, key)
  throw new Refusal('is a getter, which would no longer be called', 'capture a copy that holds its value: { ...object }', key)
}

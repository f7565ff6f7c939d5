import type { WireFields, WireValue } from './document.ts'
import type { NodeWriter } from './node-writer.ts'
import type { Hold } from './place.ts'
import { Refusal } from './refusal.ts'

/** Writes own fields. `isMet`: the object was met with them, as plain data is. @throws Refusal for a getter and for a key that is a symbol. */
export function writeFields(object: object, keys: readonly (string | symbol)[], writer: NodeWriter, isMet = false): WireFields {
  if (keys.length === 0) return {}
  const k: string[] = []
  const w: WireValue[] = []
  const e: number[] = []
  for (const key of keys) {
    if (typeof key === 'symbol') throw new Refusal(`has a key that is a symbol, ${String(key)}`, 'use a string as the key, or pass a copy without it')
    const descriptor = Object.getOwnPropertyDescriptor(object, key)
    if (descriptor === undefined) continue
    if (descriptor.enumerable !== true) e.push(k.length)
    k.push(key)
    const value = dataOf(descriptor, key)
    w.push(isMet && descriptor.enumerable === true ? writer.member(value, key) : writer.value(value, key))
  }
  return { k, w, ...(e.length > 0 && { e }) }
}

/** The value of a property. @throws Refusal for a getter. */
export function dataOf(descriptor: PropertyDescriptor, hold: Hold): unknown {
  if ('value' in descriptor) return descriptor.value
  throw new Refusal('is a getter, which would run code to be read', 'pass a copy that holds its value: { ...object }', hold)
}

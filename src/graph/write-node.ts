import { types } from 'node:util'
import { importedAs, ImportBinding } from '../functions/import-binding.ts'
import { binaryKind, toBase64 } from './bytes.ts'
import { isNativePrototype, isRootPrototype } from './class-of.ts'
import type { WireNode, WireValue } from './document.ts'
import type { NodeWriter } from './node-writer.ts'
import { Refusal, refuse } from './refusal.ts'
import { writeTable } from './table.ts'
import { typeOf } from './types.ts'
import { readOwn, writeFields } from './write-fields.ts'
import { writeFunction, writeImport } from './write-function.ts'
import { refuseSubclass, writeDomException, writeError, writeInstance, writeRegistered } from './write-instance.ts'

/** Arrays with more holes than this are refused: each hole is written, so that a short message never makes a huge array. */
const MOST_HOLES = 10_000

/** Writes one object. What it holds is handed to the writer. @throws Refusal when the object, or a scalar in it, cannot travel. */
export function writeNode(object: object, writer: NodeWriter): WireNode {
  if (types.isProxy(object)) return writeBehind(object, writer)
  if (typeof object === 'function') return writeFunction(object, writer)
  const binding = importedAs(object)
  if (binding !== undefined) return writeImport(binding.specifier, binding.path, binding.origin, writer)
  const type = typeOf(object, writer.types)
  if (type?.codec !== undefined) return writeRegistered(object, type, writer)

  const prototype: unknown = Object.getPrototypeOf(object)
  if (Array.isArray(object)) return isNativePrototype(prototype, 'Array') ? writeArray(object, writer) : refuseSubclass(object, writer)
  if (prototype === null || isRootPrototype(prototype as object)) return writeRecord(object, prototype === null, writer)
  if (prototype === DOMException.prototype) return writeDomException(object as DOMException)
  if (types.isNativeError(object)) return writeError(object, type, writer)
  const builtin = writeBuiltin(object, prototype, writer)
  if (builtin !== undefined) return builtin
  if (object instanceof ImportBinding) return writeImport(object.specifier, object.path, object.origin, writer)
  return writeInstance(object, writer)
}

/** Under this key a proxy may have a function that gives what it stands for. */
const UNPROXY = Symbol.for('celeriac.unproxy')

/** What a proxy stands for goes in its place, if it says what that is. */
function writeBehind(proxy: object, writer: NodeWriter): WireNode {
  const unproxy: unknown = Reflect.get(proxy, UNPROXY)
  const behind: unknown = typeof unproxy === 'function' ? unproxy.call(proxy) : undefined
  if ((typeof behind !== 'object' && typeof behind !== 'function') || behind === null || types.isProxy(behind)) throw refuse(proxy)
  return writeNode(behind, writer)
}

function writeArray(values: readonly unknown[], writer: NodeWriter): WireNode {
  if (writer.isDense(values)) return writeDense(values, writer)
  const holes = values.length - Object.keys(values).filter(isIndex).length
  if (holes > MOST_HOLES) throw new Refusal(`is an array with ${holes} holes`, 'pass a Map, or an object with the elements that there are')
  const written: WireValue[] = []
  const h: number[] = []
  for (let index = 0; index < values.length; index++) {
    const descriptor = Object.getOwnPropertyDescriptor(values, index)
    if (descriptor === undefined) h.push(index)
    written.push(descriptor === undefined ? null : writer.member(readOwn(values, index, descriptor, writer), index))
  }
  const others = Reflect.ownKeys(values).filter((key) => key !== 'length' && !(typeof key === 'string' && isIndex(key)))
  return { t: 'a', v: written, ...(h.length > 0 && { h }), ...writeFields(values, others, writer, true) }
}

/** Rows of which a few are more than JSON stay JSON but for those. */
function writeDense(values: readonly unknown[], writer: NodeWriter): WireNode {
  const x: number[] = []
  for (let index = 0; index < values.length; index++) {
    if (!writer.isPlain(values[index])) x.push(index)
  }
  if (x.length * 2 > values.length) return { t: 'a', v: values.map((value, index) => writer.member(value, index)) }
  const table = writeTable(values, x, writer)
  if (table !== undefined) return table
  const j = [...values]
  for (const index of x) j[index] = null
  return { t: 'a', j, x, v: x.map((index) => writer.member(values[index], index)) }
}

function writeRecord(object: object, isNull: boolean, writer: NodeWriter): WireNode {
  if (types.isModuleNamespaceObject(object)) throw new Refusal('is a whole module', 'pass what the task needs of it, or import it inside the task')
  if (types.isArgumentsObject(object)) throw new Refusal('is an arguments object', 'pass [...arguments]')
  if (types.isExternal(object)) throw refuse(object)
  return { t: 'o', ...(isNull && { z: 1 as const }), ...writeFields(object, Reflect.ownKeys(object), writer, !isNull) }
}

/** The built-in classes that are written by what they contain; undefined for any other object. */
function writeBuiltin(object: object, prototype: unknown, writer: NodeWriter): WireNode | undefined {
  if (types.isMap(object)) return exactly(object, prototype, 'Map', writer, () => ({ t: 'M', v: writeEntries(object, writer) }))
  if (types.isSet(object)) return exactly(object, prototype, 'Set', writer, () => ({ t: 'S', v: writeMembers(object, writer) }))
  if (types.isDate(object)) return exactly(object, prototype, 'Date', writer, () => ({ t: 'D', v: timeOf(object) }))
  if (types.isRegExp(object)) return exactly(object, prototype, 'RegExp', writer, () => writeRegExp(object))
  if (types.isAnyArrayBuffer(object) || types.isArrayBufferView(object)) {
    const kind = binaryKind(object)
    if (kind === undefined) return refuseSubclass(object, writer)
    return { t: 'b', k: kind, v: toBase64(object, kind) }
  }
  if (prototype === URL.prototype) return { t: 'U', v: (object as URL).href }
  if (prototype === URLSearchParams.prototype) return { t: 'Q', v: String(object as URLSearchParams) }
  return undefined
}

function exactly(object: object, prototype: unknown, name: string, writer: NodeWriter, write: () => WireNode): WireNode {
  if (!isNativePrototype(prototype, name)) return refuseSubclass(object, writer)
  const own = Reflect.ownKeys(object).find((key) => key !== 'lastIndex')
  if (own === undefined) return write()
  throw new Refusal(`is a ${name} with a property of its own, ${String(own)}`, 'pass that beside it')
}

/** `Map.prototype.entries` and its like are called as they were defined: the object might have its own. */
function writeEntries(map: ReadonlyMap<unknown, unknown>, writer: NodeWriter): WireValue[] {
  const v: WireValue[] = []
  for (const [key, value] of Map.prototype.entries.call(map)) {
    const index = v.length / 2
    const isNamed = typeof key === 'string' || typeof key === 'number'
    const shown = isNamed ? `.get(${JSON.stringify(key)})` : `.values()[${index}]`
    v.push(writer.value(key, { words: `.keys()[${index}]` }), writer.value(value, { words: shown }))
  }
  return v
}

function writeMembers(set: ReadonlySet<unknown>, writer: NodeWriter): WireValue[] {
  return Array.from(Set.prototype.values.call(set), (value, index) => writer.value(value, { words: `.values()[${index}]` }))
}

function timeOf(date: Date): number | null {
  const time = Date.prototype.getTime.call(date)
  return Number.isNaN(time) ? null : time
}

function writeRegExp(expression: RegExp): WireNode {
  const { lastIndex } = expression
  const { source, flags } = expression
  return { t: 'X', s: source, f: flags, ...(lastIndex !== 0 && { i: lastIndex }) }
}

function isIndex(key: string): boolean {
  const index = Number(key)
  return Number.isInteger(index) && index >= 0 && index < 2 ** 32 - 1 && String(index) === key
}

import { types } from 'node:util'
import type { Travel } from '../functions/travel.ts'
import { describeUnsendable } from '../protocol/unsendable.ts'
import { classOf, isFounded, isNativePrototype, privateMemberOf } from './class-of.ts'
import type { WireNode, WireValue } from './document.ts'
import { errorClassName, nearestBuiltinError } from './error-classes.ts'
import { functionName } from './function-name.ts'
import type { NodeWriter } from './node-writer.ts'
import { Refusal, refuse } from './refusal.ts'
import { ancestorOf, type RegisteredType } from './types.ts'
import { writeFields } from './write-fields.ts'

/** Writes an error of the web's own class, which keeps what it says where only its constructor can put it. */
export function writeDomException(error: DOMException): WireNode {
  const stack: unknown = error.stack
  return { t: 'E', c: 'DOMException', n: error.name, m: error.message, ...(typeof stack === 'string' && { s: stack }) }
}

/** Writes an error with message, stack and own fields. */
export function writeError(error: Error, type: RegisteredType | undefined, writer: NodeWriter): WireNode {
  const keys = Reflect.ownKeys(error)
  const message = Object.getOwnPropertyDescriptor(error, 'message')
  const hasMessage = typeof message?.value === 'string' && message.enumerable !== true
  const stack: unknown = keys.includes('stack') ? error.stack : undefined
  const others = keys.filter((key) => key !== 'stack' && !(key === 'message' && hasMessage))
  return {
    t: 'E',
    c: type?.name ?? writeErrorClass(error, writer),
    ...(hasMessage && { m: message.value as string }),
    ...(typeof stack === 'string' && { s: stack }),
    ...writeFields(error, others, writer),
  }
}

function writeErrorClass(error: Error, writer: NodeWriter): WireValue {
  const prototype = Object.getPrototypeOf(error) as object
  if (isNodesOwn(prototype)) return nearestBuiltinError(error)
  return errorClassName(prototype) ?? foreignErrorName(prototype) ?? writeClass(error, writer)
}

/** Node puts a prototype of its own between its errors with a code and JavaScript's classes. */
function isNodesOwn(prototype: object): boolean {
  return Object.getOwnPropertySymbols(prototype).some((symbol) => symbol.description === 'kIsNodeError')
}

/** The name of one of JavaScript's own classes of another realm. */
function foreignErrorName(prototype: object): string | undefined {
  const name: unknown = Object.getOwnPropertyDescriptor(prototype, 'name')?.value
  return typeof name === 'string' && /^\w*Error$/.test(name) && isNativePrototype(prototype, name) ? name : undefined
}

/** Writes a value of a registered type: what `toWire` gives, and where its class is from. */
export function writeRegistered(object: object, type: RegisteredType, writer: NodeWriter): WireNode {
  writer.markCode()
  const wire = writer.value(writer.wire(type, object), { words: ' (as toWire gives it)' })
  const Class = classOf(object)
  const isExported = Class !== undefined && !type.byReference && isReferred(Class, writer)
  return { t: 'T', n: type.name, v: wire, ...(isExported && { c: writer.value(Class, { words: ' (its class)' }) }) }
}

function isReferred(Class: Function, writer: NodeWriter): boolean {
  try {
    return writer.travel(Class).by === 'reference'
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

/** Writes an instance of a class: the class, and own fields. */
export function writeInstance(object: object, writer: NodeWriter): WireNode {
  if (types.isBoxedPrimitive(object) || types.isPromise(object) || types.isWeakMap(object) || types.isWeakSet(object)) throw refuse(object)
  return { t: 'i', c: writeClass(object, writer), ...writeFields(object, Reflect.ownKeys(object), writer) }
}

/** The class of an instance. It is looked at before the fields: a socket is refused for what it is, not for what it holds. */
function writeClass(object: object, writer: NodeWriter): WireValue {
  const Class = classOf(object)
  if (Class === undefined || isFounded(Class) || ancestorOf(object, writer.types) !== undefined) return refuseSubclass(object, writer)
  const secret = privateMemberOf(Class)
  if (secret !== undefined) {
    throw new Refusal(`has the private member ${secret} of ${functionName(Class)}, which nothing can read from outside`, registerHint(Class, writer))
  }
  const travel = travelOfClass(object, Class, writer)
  if (travel.by === 'import') throw refuse(object)
  if (travel.by === 'value' && !writer.classesByValue) {
    throw new Refusal(
      `is an instance of ${functionName(Class)}, which no module exports: whoever reads it would get an instance of another class`,
      'export the class from a module, or give plain data',
    )
  }
  writer.markCode()
  return writer.value(Class, { words: ' (its class)' })
}

function travelOfClass(object: object, Class: Function, writer: NodeWriter): Travel {
  try {
    return writer.travel(Class)
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    const { what, hint } = describeUnsendable(object)
    const why = cause.cause instanceof Error ? cause.cause.message.replace(/\.$/, '') : cause.message
    throw new Refusal(`is ${what}, which cannot travel to another process: ${why}`, hint, undefined, { cause })
  }
}

/** Refuses an object whose class, or one it extends, is not to be had in another process. */
export function refuseSubclass(object: object, writer: NodeWriter): never {
  const ancestor = ancestorOf(object, writer.types)
  if (ancestor === undefined) throw refuse(object)
  const Class = classOf(object)
  const what = Class === undefined ? 'a value' : `an instance of ${functionName(Class)}`
  throw new Refusal(`is ${what}, which extends the registered type "${ancestor.name}" and would come back as that`, 'register its own class too')
}

function registerHint(Class: Function, { isCaptured }: NodeWriter): string {
  const advice = `register ${Class.name === '' ? 'the class' : Class.name} as a type with toWire and fromWire, or pass plain data`
  return isCaptured ? `export it from a module that workers can import, ${advice}` : advice
}

import { types } from 'node:util'
import { readProperty } from './read-property.ts'

/** What a value is, in words, and what to pass instead. */
export interface Unsendable {
  /** With its article: `a ReadStream`. */
  readonly what: string
  readonly hint: string
}

/** Describes a value that JSON cannot hold, for the error that refuses it. */
export function describeUnsendable(value: unknown): Unsendable {
  if (types.isProxy(value)) return { what: 'a Proxy', hint: 'pass a plain copy of what it stands for' }
  switch (typeof value) {
    case 'undefined':
      return { what: 'undefined', hint: 'use null in a list' }
    case 'function':
      return describeFunction(value)
    case 'symbol':
      return { what: 'a symbol', hint: 'pass a string' }
    case 'bigint':
      return {
        what: 'a BigInt that an ordinary number can hold',
        hint: 'pass Number(value); only integers beyond 2^53 are sent as BigInt',
      }
    default:
      return describeObject(value as object)
  }
}

function describeFunction(value: object): Unsendable {
  const name = readProperty(value, 'name')
  const called = typeof name === 'string' && name !== '' ? ` "${name}"` : ''
  if (/^class\b/.test(sourceOf(value))) return { what: `the class${called}`, hint: 'pass a name and look the class up inside the task' }
  return { what: `the function${called}`, hint: 'pass the data it works on and call it inside the task' }
}

function sourceOf(value: object): string {
  try {
    return Function.prototype.toString.call(value).slice(0, 10)
  } catch {
    return ''
  }
}

function describeObject(value: object): Unsendable {
  const name = className(value)
  if (name === 'Object') return { what: 'an object with a prototype of its own', hint: hintFor(value, name) }
  return { what: `${/^[AEIOU]/i.test(name) ? 'an' : 'a'} ${name}`, hint: hintFor(value, name) }
}

/** Hints by class name, nearest class first: a subclass of Map is told what a Map is told. */
const HINTS: Readonly<Record<string, string>> = {
  Date: 'pass date.toISOString() or date.getTime()',
  Map: 'pass Object.fromEntries(map) or [...map]',
  Set: 'pass [...set]',
  WeakMap: 'pass the data as a plain object',
  WeakSet: 'pass the data as a list',
  Buffer: "pass buffer.toString('base64'), or the path of a file that holds it",
  TypedArray: 'pass Array.from(array), or its bytes as base64 text',
  DataView: 'pass its bytes as base64 text',
  ArrayBuffer: 'pass its bytes as base64 text',
  SharedArrayBuffer: 'pass its bytes as base64 text',
  Blob: 'pass its content as text, or the path of a file that holds it',
  Error: 'pass error.message, or a plain object with what the task needs',
  Promise: 'await it first and pass what it resolves to',
  RegExp: 'pass its source and flags as text',
  URL: 'pass url.href',
  Socket: 'pass the host and port and connect inside the task',
  Server: 'pass the host and port',
  AbortSignal: "cancel the task instead; inside it, use the task's own signal",
  Number: 'pass the plain number',
  String: 'pass the plain string',
  Boolean: 'pass the plain boolean',
}

function hintFor(value: object, name: string): string {
  for (const ancestor of classNames(value)) {
    const hint = Object.hasOwn(HINTS, ancestor) ? HINTS[ancestor] : undefined
    if (hint !== undefined) return hint
  }
  if (typeof readProperty(value, 'pipe') === 'function' || typeof readProperty(value, 'getReader') === 'function') {
    return typeof readProperty(value, 'path') === 'string' || name === 'ReadStream' || name === 'WriteStream'
      ? 'pass its path and open it inside the task'
      : 'read it first and pass the content, or pass the path of a file that holds it'
  }
  if (typeof readProperty(value, 'then') === 'function') return 'await it first and pass what it resolves to'
  return 'pass a plain object with the data the task needs'
}

function className(value: object): string {
  return classNames(value)[0] ?? 'object without a class'
}

/** Names of an object's class and its ancestors, itself first. Never throws, whatever the object does. */
function classNames(value: object): string[] {
  const names: string[] = []
  try {
    for (let step: unknown = Object.getPrototypeOf(value); step !== null && names.length < 20; step = Object.getPrototypeOf(step)) {
      const constructor = readProperty(step as object, 'constructor')
      const name = typeof constructor === 'function' ? readProperty(constructor, 'name') : undefined
      if (typeof name === 'string' && name !== '') names.push(name)
    }
  } catch {
    // A proxy that refuses to be looked at: what is known so far has to do.
  }
  return names
}

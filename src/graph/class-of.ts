import { EventEmitter } from 'node:events'
import type { AnyNode } from 'acorn'
import { parseExpression } from '../functions/parse.ts'

/** The class that an object is an instance of: its prototype's own constructor, if that is its. */
export function classOf(value: object): Function | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (typeof prototype !== 'object' || prototype === null) return undefined
  const Class: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  if (typeof Class !== 'function') return undefined
  return Object.getOwnPropertyDescriptor(Class, 'prototype')?.value === prototype ? Class : undefined
}

/**
 * True when the class or one it extends keeps its state where nobody else can see it: native code, and Node's emitters.
 *
 * The root of all classes is none of them, and neither is Error, which is written by its own rules.
 */
export function isFounded(Class: Function): boolean {
  for (let step: unknown = Class.prototype; typeof step === 'object' && step !== null; step = Object.getPrototypeOf(step)) {
    if (step === Object.prototype || step === Error.prototype) return false
    if (step === EventEmitter.prototype || step === EventTarget.prototype) return true
    const maker: unknown = Object.getOwnPropertyDescriptor(step, 'constructor')?.value
    if (typeof maker === 'function' && isNative(maker) && !(step instanceof Error)) {
      return !isRootPrototype(step)
    }
  }
  return false
}

/** True for the prototype of plain objects, of whatever realm. */
export function isRootPrototype(prototype: object): boolean {
  return prototype === Object.prototype || (Object.getPrototypeOf(prototype) === null && isNativePrototype(prototype, 'Object'))
}

/** True for the prototype of the built-in class of that name, of whatever realm. */
export function isNativePrototype(prototype: unknown, name: string): boolean {
  if (typeof prototype !== 'object' || prototype === null) return false
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  return typeof maker === 'function' && sourceOf(maker) === `function ${name}() { [native code] }`
}

function isNative(fn: Function): boolean {
  return sourceOf(fn).endsWith('{ [native code] }')
}

const privateNames = new WeakMap<Function, string | null>()

/**
 * The name of a private member (`#balance`) that instances of the class have, by its own source or that of a class it extends.
 *
 * Nothing can read such a member from outside, and without it the class's methods throw.
 */
export function privateMemberOf(Class: Function): string | undefined {
  for (let step: unknown = Class; typeof step === 'function' && step !== Function.prototype; step = Object.getPrototypeOf(step)) {
    let name = privateNames.get(step)
    if (name === undefined) {
      name = privateMemberIn(sourceOf(step)) ?? null
      privateNames.set(step, name)
    }
    if (name !== null) return name
  }
  return undefined
}

function privateMemberIn(source: string): string | undefined {
  if (!source.startsWith('class') || !source.includes('#')) return undefined
  const parsed = parseExpression(source)
  if (parsed?.type !== 'ClassExpression') return undefined
  const members: readonly AnyNode[] = parsed.body.body
  for (const member of members) {
    if (member.type !== 'PropertyDefinition' && member.type !== 'MethodDefinition') continue
    if (!member.static && member.key.type === 'PrivateIdentifier') return `#${member.key.name}`
  }
  return undefined
}

function sourceOf(fn: Function): string {
  return Function.prototype.toString.call(fn)
}

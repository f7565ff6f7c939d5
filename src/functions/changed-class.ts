import type { AnyNode } from 'acorn'
import type { FunctionSite } from './inspector.ts'
import { changedMember, otherPrototype, privateState } from './unsendable-function.ts'

/** A member that a class is written with, under a name that is in the source. */
export interface WrittenMember {
  readonly name: string
  readonly isStatic: boolean
  readonly isField: boolean
  /** The value that a field begins with, where that is a scalar written out, or nothing. */
  readonly initial: { readonly value: unknown } | undefined
  /** As it is written. */
  readonly text: string
}

/** The members of a class in `source` whose names are written out; none for a function. */
export function writtenMembers(node: AnyNode, source: string): readonly WrittenMember[] {
  if (node.type !== 'ClassExpression') return []
  return node.body.body.flatMap((member) => {
    if (member.type === 'StaticBlock' || member.computed) return []
    const isField = member.type === 'PropertyDefinition'
    if (member.type === 'MethodDefinition' && member.kind === 'constructor') return []
    const { key } = member
    const name = key.type === 'PrivateIdentifier' ? `#${key.name}` : key.type === 'Identifier' ? key.name : String((key as { readonly value?: unknown }).value)
    const text = source.slice(member.start, member.end)
    return [{ name, isStatic: member.static, isField, initial: isField ? initialValue(member.value) : undefined, text }]
  })
}

function initialValue(node: AnyNode | null | undefined): WrittenMember['initial'] {
  if (!node) return { value: undefined }
  return node.type === 'Literal' && !(node.value instanceof RegExp) ? { value: node.value } : undefined
}

/**
 * Refuses a function or class that is no longer what its source makes of it: it would arrive as it was written.
 *
 * @throws {@link UnreachableFunctionError} naming the member that was changed, or whose present value cannot be read.
 */
export function refuseChanged(fn: Function, members: readonly WrittenMember[], { privateScalars }: FunctionSite, isClass: boolean): void {
  if (!isClass) {
    const hidden = Object.getOwnPropertyNames(fn).find((key) => !OWN_NAMES.has(key) && !Object.prototype.propertyIsEnumerable.call(fn, key))
    if (hidden !== undefined) throw changedMember(fn, hidden)
    refuseLostPrototype(fn)
    return refuseOtherPrototype(fn)
  }
  const source = Function.prototype.toString.call(fn)
  const prototype = fn.prototype as object
  // Methods are hidden as well, those under computed names too.
  refuseHidden(fn, fn, OWN_NAMES, source)
  refuseHidden(fn, prototype, CONSTRUCTOR, source)
  refuseMovedPrototype(fn)
  for (const { name, isStatic, isField, initial, text } of members) {
    if (name.startsWith('#')) {
      const isAsWritten = initial !== undefined && privateScalars.has(name) && privateScalars.get(name) === initial.value
      if (isStatic && isField && !isAsWritten) throw privateState(fn, name)
    } else if (isField) {
      if (isStatic && !Object.hasOwn(fn, name)) throw changedMember(fn, name)
    } else if (!isWritten(isStatic ? fn : prototype, name, partsNamed(members, name, isStatic, text))) throw changedMember(fn, name)
  }
}

/** A getter and its setter are two members of one name. */
function partsNamed(members: readonly WrittenMember[], name: string, isStatic: boolean, own: string): string {
  const parts = members.filter((member) => member.name === name && member.isStatic === isStatic)
  return parts.length === 1 ? own : parts.map(({ text }) => text).join('\n')
}

/** What is not enumerable does not go along, unless the source makes it. */
function refuseHidden(fn: Function, holder: object, usual: ReadonlySet<unknown>, source: string): void {
  for (const key of Reflect.ownKeys(holder)) {
    if (usual.has(key) || (typeof key === 'string' && Object.prototype.propertyIsEnumerable.call(holder, key)) || isWritten(holder, key, source)) continue
    throw changedMember(fn, String(key))
  }
}

const CONSTRUCTOR: ReadonlySet<string> = new Set(['constructor'])

/** A function whose prototype was replaced: that is not known by its constructor. */
function refuseLostPrototype(fn: Function): void {
  const prototype: unknown = Object.getOwnPropertyDescriptor(fn, 'prototype')?.value
  const isLost = typeof prototype === 'object' && prototype !== null && !Object.hasOwn(prototype, 'constructor') && Reflect.ownKeys(prototype).length > 0
  if (isLost) throw changedMember(fn, 'prototype')
}

/** What every function may have. */
const OWN_NAMES: ReadonlySet<string> = new Set(['length', 'name', 'prototype', 'arguments', 'caller'])

/** The prototype of a class inherits from that of what the class extends. */
function refuseMovedPrototype(fn: Function): void {
  const parent = Object.getPrototypeOf(fn) as Function & { readonly prototype: unknown }
  const above: unknown = Object.getPrototypeOf(fn.prototype as object)
  const isBase = typeof parent === 'function' && !Object.hasOwn(parent, 'prototype')
  const isAsWritten = isBase ? above === null || Object.getPrototypeOf(above as object) === null : above === parent.prototype
  if (!isAsWritten) throw changedMember(fn, 'prototype')
}

/** Whether a method is one that the source has: its own text is a part of that. */
function isWritten(holder: object, name: string | symbol, source: string): boolean {
  const descriptor: PropertyDescriptor = Object.getOwnPropertyDescriptor(holder, name) ?? {}
  const found = ['value', 'get', 'set'].map((part) => Reflect.get(descriptor, part) as unknown).filter((part) => part !== undefined)
  return found.length > 0 && found.every((part) => typeof part === 'function' && source.includes(Function.prototype.toString.call(part)))
}

/** Functions inherit from the function prototypes of their realm; classes written as functions from one another. */
function refuseOtherPrototype(fn: Function): void {
  const prototype: unknown = Object.getPrototypeOf(fn)
  if (typeof prototype === 'function') return
  const tag: unknown = typeof prototype === 'object' && prototype !== null ? Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)?.value : undefined
  if (typeof tag !== 'string' || !tag.endsWith('Function')) throw otherPrototype(fn)
}

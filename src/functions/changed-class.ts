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
}

/** The named members of a class; none for a function. */
export function writtenMembers(node: AnyNode): readonly WrittenMember[] {
  if (node.type !== 'ClassExpression') return []
  return node.body.body.flatMap((member) => {
    if (member.type === 'StaticBlock' || member.computed) return []
    const isField = member.type === 'PropertyDefinition'
    if (member.type === 'MethodDefinition' && member.kind === 'constructor') return []
    const { key } = member
    const name = key.type === 'PrivateIdentifier' ? `#${key.name}` : key.type === 'Identifier' ? key.name : String((key as { readonly value?: unknown }).value)
    return [{ name, isStatic: member.static, isField, initial: isField ? initialValue(member.value) : undefined }]
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
  const source = Function.prototype.toString.call(fn)
  for (const key of Object.getOwnPropertyNames(fn)) {
    // Static methods are hidden as well, those under computed names too.
    if (OWN_NAMES.has(key) || Object.prototype.propertyIsEnumerable.call(fn, key) || (isClass && isWritten(fn, key, source))) continue
    throw changedMember(fn, key)
  }
  if (!isClass) return refuseOtherPrototype(fn)
  refuseMovedPrototype(fn)
  for (const { name, isStatic, isField, initial } of members) {
    if (name.startsWith('#')) {
      const isAsWritten = initial !== undefined && privateScalars.has(name) && privateScalars.get(name) === initial.value
      if (isStatic && isField && !isAsWritten) throw privateState(fn, name)
    } else if (isField) {
      if (isStatic && !Object.hasOwn(fn, name)) throw changedMember(fn, name)
    } else if (!isWritten(isStatic ? fn : (fn.prototype as object), name, source)) throw changedMember(fn, name)
  }
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

/** Whether a method is the one that the source has: its own text is a part of that. */
function isWritten(holder: object, name: string, source: string): boolean {
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

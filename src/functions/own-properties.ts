import { hasGetter, hasSymbol } from './unsendable-function.ts'

/** Own properties by name. */
type Members = readonly (readonly [name: string, value: unknown])[]

const NONE: Members = []

/**
 * The enumerable own properties of a function: what was assigned to it, and a class's static fields.
 * @throws {@link UnreachableFunctionError} for a getter, or a property under a symbol.
 */
export function propertiesOf(fn: Function, isClass: boolean): Members {
  if (!isClass) refuseSymbols(fn, fn)
  return valuesOf(fn, fn, Object.keys(fn))
}

/** What a prototype has beyond what the code of its class gives it; all of it where there is no class. */
export function prototypeMembersOf(fn: Function, isClass: boolean): Members {
  const prototype = prototypeOf(fn)
  if (prototype === undefined) return NONE
  if (!isClass) refuseSymbols(fn, prototype)
  const names = isClass ? Object.keys(prototype) : Object.getOwnPropertyNames(prototype)
  return valuesOf(fn, prototype, names.filter((name) => name !== 'constructor'))
}

/** What a class extends, or a function that inherits as compilers write it; undefined for any other. */
export function superclassOf(fn: Function): unknown {
  const prototype = prototypeOf(fn)
  if (prototype === undefined) return undefined
  const parent: unknown = Object.getPrototypeOf(fn)
  if (typeof parent === 'function' && parent !== Function.prototype) return parent
  const above: unknown = Object.getPrototypeOf(prototype)
  if (above === null) return null
  return above === Object.prototype ? undefined : (above as Partial<Record<'constructor', unknown>>).constructor
}

/** The prototype of what can be called with `new`; generators have one for another purpose. */
function prototypeOf(fn: Function): object | undefined {
  const prototype: unknown = Object.getOwnPropertyDescriptor(fn, 'prototype')?.value
  return typeof prototype === 'object' && prototype !== null && Object.hasOwn(prototype, 'constructor') ? prototype : undefined
}

/** A class has made its own again by then. */
function refuseSymbols(fn: Function, holder: object): void {
  const symbol = Object.getOwnPropertySymbols(holder)[0]
  if (symbol !== undefined) throw hasSymbol(fn, symbol)
}

function valuesOf(fn: Function, holder: object, names: readonly string[]): Members {
  if (names.length === 0) return NONE
  return names.map((name) => {
    const descriptor = Object.getOwnPropertyDescriptor(holder, name)
    if (descriptor === undefined || !('value' in descriptor)) throw hasGetter(fn, name)
    return [name, descriptor.value as unknown] as const
  })
}

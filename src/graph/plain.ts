import { types } from 'node:util'

/** Deepest nesting that goes as bare JSON; what is deeper becomes nodes of a graph, which lie flat. */
export const DEEPEST_PLAIN = 500

/** Up to so many objects are compared one by one; beyond, a Set is quicker. */
const FEW = 8

/** The objects that the present walk has met. No code but this runs during a walk, so that all walks can share them. */
const few: object[] = []
let many: Set<object> | undefined

/**
 * Whether bare JSON gives back exactly this value, so that no graph is needed.
 *
 * False for whatever JSON changes or drops, for an object that is met twice, for whole numbers beyond 2^53, which other
 * readers take for BigInt, and for nesting beyond 500 levels. A getter counts as the value that it gives, and
 * keys that are symbols count for nothing, as for JSON.
 */
export function isPlainTree(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return isPlainScalar(value)
  const isPlain = isPlainObject(value, 0)
  forget()
  return isPlain && !isJsonPatched()
}

/** As {@link isPlainTree} of every item of a list that the caller has just made, and whose own shape is therefore known. */
export function arePlainTrees(values: readonly unknown[]): boolean {
  const arePlain = areElementsPlain(values, 0)
  forget()
  return arePlain && !isJsonPatched()
}

/** True when somebody has given all objects or arrays a `toJSON`, which would change what is written. */
export function isJsonPatched(): boolean {
  return 'toJSON' in Array.prototype
}

/**
 * Whether an array has nothing but its elements: no further keys. Holes show as undefined elements.
 */
export function hasOnlyElements(values: readonly unknown[]): boolean {
  return Object.keys(values).length === values.length
}

/** Whether an object in which `count` keys were found by `for … in` has inherited none, and has no hidden ones. */
export function hasOnlyKeys(value: object, count: number): boolean {
  return Object.getOwnPropertyNames(value).length === count
}

/** Whether JSON keeps a number. A whole one beyond 2^53 is read as a BigInt by others. */
export function isPlainNumber(value: number): boolean {
  return value === 0 ? !Object.is(value, -0) : Math.abs(value) <= Number.MAX_SAFE_INTEGER
}

/** Whether JSON keeps a value that is no object. */
export function isPlainScalar(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return isPlainNumber(value)
    default:
      return value === null
  }
}

function isPlainObject(value: object, depth: number): boolean {
  if (depth >= DEEPEST_PLAIN || types.isProxy(value) || hasMet(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype) return isPlainRecord(value, depth)
  return prototype === Array.prototype && Array.isArray(value) && areElementsPlain(value, depth) && hasOnlyElements(value)
}

function areElementsPlain(values: readonly unknown[], depth: number): boolean {
  for (let index = 0; index < values.length; index++) {
    const item = values[index]
    if (typeof item !== 'object' || item === null ? !isPlainScalar(item) : !isPlainObject(item, depth + 1)) return false
  }
  return true
}

function isPlainRecord(value: object, depth: number): boolean {
  let count = 0
  for (const key in value) {
    count++
    const item = (value as Record<string, unknown>)[key]
    if (typeof item !== 'object' || item === null ? !isPlainScalar(item) : !isPlainObject(item, depth + 1)) return false
  }
  return hasOnlyKeys(value, count)
}

/** Whether the object was met before; from now on it was. */
function hasMet(value: object): boolean {
  if (many !== undefined) return many.size === many.add(value).size
  for (let index = 0; index < few.length; index++) if (few[index] === value) return true
  if (few.push(value) > FEW) many = new Set(few)
  return false
}

function forget(): void {
  while (few.length > 0) few.pop()
  many = undefined
}

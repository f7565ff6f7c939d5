import { types } from 'node:util'
import { DEEPEST_PLAIN, hasOnlyElements, hasOnlyKeys, isPlainScalar } from './plain.ts'

/**
 * Finds out which parts of a value are plain sub-trees, that JSON writes and reads by itself.
 *
 * Each array and plain object is looked at once, however many others hold it.
 */
export class PlainScan {
  /** Every array and plain object that was met. */
  readonly #met = new Set<object>()
  /** All objects that are not plain trees: few, so that most cost one entry in one set. */
  readonly #rich = new Set<object>()
  /** Arrays with holes, or with keys besides their elements. */
  readonly #uneven = new Set<object>()
  readonly #shared: Set<object>
  #newlyShared = false
  /** Whether getters and keys that are symbols are told apart: what is captured is for code, which would use them later. */
  forCode = false

  /** `shared`: objects known to be met more than once. What is found to be so is added. */
  constructor(shared: Set<object>) {
    this.#shared = shared
  }

  /** True when a tree that was taken for plain is held twice: what was written with it has to be written again. */
  get newlyShared(): boolean {
    return this.#newlyShared
  }

  /** Whether an object that was met, if only as a part of another, is no plain tree. */
  isRich(value: object): boolean {
    return this.#rich.has(value)
  }

  /** Whether the object is a plain tree; undefined when it was not met yet. */
  verdictOf(value: object): boolean | undefined {
    return this.#met.has(value) ? !this.#rich.has(value) : undefined
  }

  /** Whether an array has nothing but its elements, which is known of those that were met. */
  isDense(values: readonly unknown[]): boolean {
    return this.#met.has(values) ? !this.#uneven.has(values) : hasOnlyElements(values)
  }

  isShared(value: object): boolean {
    return this.#shared.size > 0 && this.#shared.has(value)
  }

  /** Says that a plain tree is held from somewhere else as well. */
  share(value: object): void {
    if (this.#shared.has(value)) return
    this.#shared.add(value)
    this.#newlyShared = true
  }

  /** Meets a value: true when it may be written as a part of the plain tree that holds it. */
  meet(value: unknown, depth: number): boolean {
    return typeof value === 'object' && value !== null ? this.#meetObject(value, depth) : isPlainScalar(value)
  }

  #meetObject(value: object, depth: number): boolean {
    if (depth >= DEEPEST_PLAIN || types.isProxy(value)) return this.#isNone(value)
    const prototype: unknown = Object.getPrototypeOf(value)
    const isArray = prototype === Array.prototype && Array.isArray(value)
    if (!isArray && prototype !== Object.prototype) return this.#isNone(value)

    const before = this.#met.size
    if (this.#met.add(value).size === before) {
      // One that is being looked at, as in a circle, will turn out not to be plain.
      if (!this.#rich.has(value)) this.share(value)
      return false
    }
    const plain = isArray ? this.#meetElements(value, depth + 1) : this.#meetMembers(value, depth + 1)
    if (!plain) this.#rich.add(value)
    return plain && !this.isShared(value)
  }

  #isNone(value: object): false {
    this.#rich.add(value)
    return false
  }

  /** Goes on after the first that is not plain: each needs its verdict. */
  #meetElements(values: readonly unknown[], depth: number): boolean {
    // Not by index: the length may be made of holes.
    if (!hasOnlyElements(values)) {
      this.#uneven.add(values)
      this.#meetMembers(values, depth)
      return false
    }
    let plain = true
    for (let index = 0; index < values.length; index++) {
      const value = values[index]
      if (typeof value !== 'string' && !this.meet(value, depth)) plain = false
    }
    return plain
  }

  #meetMembers(value: object, depth: number): boolean {
    let plain = true
    let count = 0
    for (const key in value) {
      count++
      if (this.forCode && isGetter(value, key)) {
        plain = false
        continue
      }
      const item = (value as Record<string, unknown>)[key]
      if (typeof item !== 'string' && !this.meet(item, depth)) plain = false
    }
    return plain && hasOnlyKeys(value, count) && !(this.forCode && Object.getOwnPropertySymbols(value).length > 0)
  }
}

function isGetter(object: object, key: string): boolean {
  return Object.getOwnPropertyDescriptor(object, key)?.get !== undefined
}

import { CeleriacError, DecodeError } from '../errors.ts'
import { type Rebuilding, rebuildFunction } from '../functions/rebuild.ts'
import type { WireFields, WireNode, WireValue } from './document.ts'
import { emptyObject } from './empty-object.ts'
import { errorPrototype } from './error-classes.ts'
import { childrenOf, referred } from './order.ts'
import { wellKnownSymbol } from './symbols.ts'
import { requireType, type TypeRegistry } from './types.ts'

/** Where code is found, and which types are known. */
export interface BuildOptions {
  readonly root: string
  readonly types: TypeRegistry
}

type Node<K extends WireNode['t']> = Extract<WireNode, { readonly t: K }>

/**
 * Makes the values of a checked document.
 *
 * First an empty object for every node that can have one, so that circles close; then, in order, what is in them. Classes, bound functions and
 * values of registered types cannot be empty: what holds one that is not made yet waits.
 */
export class GraphBuilder {
  readonly #nodes: readonly WireNode[]
  readonly #options: BuildOptions
  readonly #made: unknown[] = []
  readonly #isMade: Uint8Array
  readonly #rebuildings = new Map<number, Rebuilding>()
  #waiting: number[] = []
  #hasLate = false

  constructor(nodes: readonly WireNode[], options: BuildOptions) {
    this.#nodes = nodes
    this.#options = options
    this.#isMade = new Uint8Array(nodes.length)
  }

  /** Says what a node that names something stands for. */
  resolved(id: number, value: unknown): void {
    this.#made[id] = value
    this.#isMade[id] = 1
  }

  /** Makes the nodes, given in order of need, and gives the value that `root` stands for. */
  async build(order: readonly number[], root: WireValue): Promise<unknown> {
    const limit = Error.stackTraceLimit
    // The stacks of errors come with them.
    Error.stackTraceLimit = 0
    try {
      for (const id of order) this.#begin(id)
    } finally {
      Error.stackTraceLimit = limit
    }
    for (const id of order) {
      const node = this.#nodes[id]
      if (node?.t === 'T') await this.#makeRegistered(id, node)
      else this.#finish(id)
    }
    this.#finishWaiting()
    const [unfinished] = this.#waiting
    if (unfinished !== undefined) throw new DecodeError(`Cannot read the graph at n[${unfinished}]: it needs itself to be made.`)
    return this.#value(root)
  }

  /** The empty object of a node, if it can have one. */
  #begin(id: number): void {
    if (this.#isMade[id] === 1) return
    const shell = this.#shellOf(this.#nodes[id], id)
    if (shell === undefined) this.#hasLate = true
    else this.resolved(id, shell)
  }

  #shellOf(node: WireNode | undefined, id: number): unknown {
    switch (node?.t) {
      case 'i':
        return this.#isMade[referred(node.c) ?? -1] === 1 ? Object.create(this.#prototypeOf(node.c)) : {}
      case 'f':
        return isLate(node) ? undefined : this.#rebuild(id, node).make()
      default:
        return node && emptyObject(node)
    }
  }

  /** Fills a node, or lets it wait for what it holds. */
  #finish(id: number): void {
    const node = this.#nodes[id]
    if (node === undefined) return
    if (node.t === 'f' && isLate(node)) return this.#makeLate(id, node)
    if (this.#hasLate && !this.#isReady(node)) this.#waiting.push(id)
    else this.#fill(id, node)
  }

  #finishWaiting(): void {
    for (let before = Infinity; this.#waiting.length < before; ) {
      const waiting = this.#waiting
      before = waiting.length
      this.#waiting = []
      for (const id of waiting) this.#finish(id)
    }
  }

  #isReady(node: WireNode): boolean {
    return childrenOf(node).every((child) => this.#isMade[child] === 1)
  }

  #fill(id: number, node: WireNode): void {
    const object = this.#made[id] as object
    switch (node.t) {
      case 'a':
        fillArray(object as unknown[], node, (value) => this.#value(value))
        return this.#define(object, node)
      case 'c':
        return putAt(node.x, node.v, object as unknown[], (value) => this.#value(value))
      case 'o':
        return this.#define(object, node)
      case 'M':
        for (let index = 0; index < node.v.length; index += 2) {
          ;(object as Map<unknown, unknown>).set(this.#value(node.v[index]), this.#value(node.v[index + 1]))
        }
        return
      case 'S':
        for (const value of node.v) (object as Set<unknown>).add(this.#value(value))
        return
      case 'E':
        return this.#fillError(object, node)
      case 'i': {
        const prototype = this.#prototypeOf(node.c)
        if (Object.getPrototypeOf(object) !== prototype) Object.setPrototypeOf(object, prototype)
        return this.#define(object, node)
      }
      case 'f':
        return this.#fillFunction(id, node, object as Function)
      case 'B':
        return this.resolved(id, bind(this.#function(node.f), this.#value(node.x), node.a.map((value) => this.#value(value))))
      default:
    }
  }

  #fillError(error: object, node: Node<'E'>): void {
    if (node.c !== 'DOMException') Object.setPrototypeOf(error, typeof node.c === 'string' ? this.#errorPrototype(node.c) : this.#prototypeOf(node.c))
    this.#define(error, node)
  }

  #errorPrototype(name: string): object {
    return errorPrototype(name) ?? requireType(name, this.#options.types).prototype
  }

  #rebuild(id: number, node: Node<'f'>): Rebuilding {
    const known = this.#rebuildings.get(id)
    if (known !== undefined) return known
    const made = rebuildFunction(node.c, node.k, this.#options.root)
    this.#rebuildings.set(id, made)
    return made
  }

  /** A class: its superclass has to be there, and its variables where that is possible, since its static parts run now. */
  #makeLate(id: number, node: Node<'f'>): void {
    if (this.#isMade[id] === 1) return this.#fillFunction(id, node, this.#made[id] as Function)
    for (const link of this.#unmadeAncestors(id)) {
      const ancestor = this.#nodes[link]
      if (ancestor?.t !== 'f') continue
      const rebuilding = this.#rebuild(link, ancestor)
      this.#assign(rebuilding, ancestor)
      this.resolved(link, running(() => rebuilding.make(ancestor.x === undefined ? undefined : this.#value(ancestor.x)), ancestor.c.n))
      this.#fillFunction(link, ancestor, this.#made[link] as Function)
    }
  }

  /** The class itself and those it extends that are not made yet, the eldest first. */
  #unmadeAncestors(id: number): number[] {
    const chain: number[] = []
    const seen = new Set<number>()
    for (let link: number | undefined = id; link !== undefined && this.#isMade[link] !== 1; ) {
      if (seen.has(link)) throw new DecodeError(`Cannot read the graph at n[${id}]: the class extends itself.`)
      seen.add(link)
      const node: WireNode | undefined = this.#nodes[link]
      if (node?.t === 'B') this.#finish(link)
      else chain.push(link)
      link = node?.t === 'f' ? referred(node.x) : undefined
    }
    return chain.toReversed()
  }

  #fillFunction(id: number, node: Node<'f'>, fn: Function): void {
    this.#assign(this.#rebuild(id, node), node)
    if (!this.#isReady(node)) {
      this.#waiting.push(id)
      return
    }
    if (node.a !== undefined) this.#define(fn, node.a)
    if (node.q !== undefined) this.#define(fn.prototype as object, node.q)
  }

  #assign(rebuilding: Rebuilding, node: Node<'f'>): void {
    node.k.forEach((name, index) => {
      const value = node.w[index]
      const id = referred(value)
      if (id === undefined || this.#isMade[id] === 1) rebuilding.assign(name, this.#value(value))
    })
  }

  async #makeRegistered(id: number, node: Node<'T'>): Promise<void> {
    this.#finishWaiting()
    const { codec, name } = requireType(node.n, this.#options.types)
    let made: unknown
    try {
      made = await codec?.fromWire(this.#value(node.v))
    } catch (cause) {
      throw new DecodeError(`Cannot read a value of type "${name}": its fromWire failed: ${messageOf(cause)}`, { cause })
    }
    if (typeof made !== 'object' || made === null) throw new DecodeError(`Cannot read a value of type "${name}": its fromWire gave ${String(made)}, and no object.`)
    this.resolved(id, made)
  }

  #prototypeOf(value: WireValue): object {
    const Class = this.#function(value)
    const prototype: unknown = Object.getOwnPropertyDescriptor(Class, 'prototype')?.value
    if (typeof prototype === 'object' && prototype !== null) return prototype
    throw new DecodeError(`Cannot read the graph: expected a class for an instance, got the function "${Class.name}".`)
  }

  #function(value: WireValue): Function {
    const found = this.#value(value)
    if (typeof found === 'function') return found
    throw new DecodeError(`Cannot read the graph: expected a function or class, got ${typeof found}.`)
  }

  /** Defines own fields, whatever setters the class has. */
  #define(object: object, { k = [], w = [], e }: WireFields): void {
    const hidden = e && new Set(e)
    for (let index = 0; index < k.length; index++) {
      const enumerable = hidden === undefined || !hidden.has(index)
      Object.defineProperty(object, k[index] ?? '', { value: this.#value(w[index]), enumerable, configurable: true, writable: true })
    }
  }

  #value(value: WireValue | undefined): unknown {
    if (typeof value !== 'object' || value === null) return value
    const content = value[1]
    switch (value[0]) {
      case 'l':
        return content
      case 'r':
        return this.#made[content as number]
      case 'f':
        return Number(content)
      case 'n':
        return BigInt(content as string)
      case 's':
        return Symbol.for(content as string)
      case 'w':
        return wellKnownSymbol(content as string)
      default:
        return undefined
    }
  }
}

/** A class, or a function with an ancestor: it cannot be made before that. */
function isLate(node: Node<'f'>): boolean {
  return node.c.k === 1 || node.x !== undefined
}

function fillArray(array: unknown[], node: Node<'a'>, read: (value: WireValue | undefined) => unknown): void {
  if (node.x !== undefined) return putAt(node.x, node.v, array, read)
  const holes = new Set(node.h)
  for (let index = 0; index < node.v.length; index++) {
    if (!holes.has(index)) array[index] = read(node.v[index])
  }
  if (array.length < node.v.length) array.length = node.v.length
}

function putAt(places: readonly number[], values: readonly WireValue[], array: unknown[], read: (value: WireValue | undefined) => unknown): void {
  places.forEach((place, index) => (array[place] = read(values[index])))
}

function bind(target: Function, receiver: unknown, args: readonly unknown[]): Function {
  return Function.prototype.bind.call(target, receiver, ...args) as Function
}

function running(make: () => Function, name: string): Function {
  try {
    return make()
  } catch (cause) {
    if (cause instanceof CeleriacError) throw cause
    throw new DecodeError(`Cannot make the class "${name}" again: its static part failed: ${messageOf(cause)}`, { cause })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

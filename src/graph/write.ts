import { EncodeError } from '../errors.ts'
import { type FunctionReference, findReference } from '../functions/reference.ts'
import { type Travel, travelOf } from '../functions/travel.ts'
import { classOf } from './class-of.ts'
import { GRAPH_VERSION, type WireNode, type WireValue } from './document.ts'
import type { NodeWriter } from './node-writer.ts'
import { cycleThroughType } from './order.ts'
import { type Hold, type Place, describePlace, isCaptured } from './place.ts'
import { isJsonPatched, isPlainNumber, isPlainScalar } from './plain.ts'
import { PlainScan } from './plain-scan.ts'
import { Refusal } from './refusal.ts'
import { wellKnownName } from './symbols.ts'
import { type RegisteredType, toWire, typeOf, type TypeRegistry } from './types.ts'
import { writeNode } from './write-node.ts'

/** How a value is written. */
export interface WriteOptions {
  readonly root: string
  /** Names the value in errors: `args`, `result`, `meta`. */
  readonly path: string
  /** Names the elements of a value that is an array, instead of `path[0]`: `['args', 'kwargs', 'embed', 'the function']`. */
  readonly names?: readonly string[] | undefined
  readonly types: TypeRegistry
  /**
   * Whether an instance of a class that has no reference may take its class along. False for results, whose reader would
   * get an instance of another class of the same name.
   */
  readonly classesByValue: boolean
  /** The function in the value that is the task itself, and how it travels. */
  readonly traveller?: { readonly fn: Function; readonly travel: Travel } | undefined
}

/** A value as a graph. */
export interface WrittenGraph {
  readonly text: string
  /** It holds functions, classes, references or imports, so that only a verified message may be read. */
  readonly hasCode: boolean
}

/** More digits of a BigInt than anybody computes with; reading them takes ever longer. */
const MOST_DIGITS = 100_000

/** Objects captured by functions that are replaced by references, one after the other. */
const MOST_REPLACED = 1_000

/**
 * Writes any value that can travel as a graph: a snapshot, taken before this returns.
 *
 * What the value holds twice is held twice again when it is read. Not kept: whether objects are frozen, and that several
 * views share their memory. Calls no getter, and no `toJSON`.
 * @throws {@link EncodeError} with the path to the first thing that cannot travel.
 */
export function writeGraph(value: unknown, options: WriteOptions): WrittenGraph {
  if (isJsonPatched()) throw new EncodeError(`${options.path} cannot be written: this program has given arrays a toJSON; remove it`, options.path)
  const { traveller } = options
  const travels = new Map(traveller && [[traveller.fn, traveller.travel]])
  const facts: Facts = { shared: new Set(), references: new Map(), travels, wires: new Map() }
  for (let attempt = 0; ; attempt++) {
    const writer = new GraphWriter(options, facts)
    try {
      const written = writer.write(value)
      if (written !== undefined) return written
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (attempt >= MOST_REPLACED || !writer.replaceCaptured()) throw writer.explain(error)
    }
  }
}

/** What is found out about the objects of a value while it is written, kept when writing has to begin anew. */
interface Facts {
  readonly shared: Set<object>
  readonly references: Map<object, FunctionReference>
  readonly travels: Map<Function, Travel>
  readonly wires: Map<object, { readonly value: unknown }>
}

/** Writes one value, once. Objects wait in a queue, so that no depth of nesting is too much. */
class GraphWriter implements NodeWriter {
  readonly types: TypeRegistry
  readonly classesByValue: boolean
  readonly #options: WriteOptions
  readonly #facts: Facts
  readonly #scan: PlainScan
  readonly #ids = new Map<object, number>()
  readonly #places: Place[] = []
  readonly #nodes: WireNode[] = []
  /** Plain trees that were met by themselves. */
  readonly #late = new Set<object>()
  #place: Place | undefined
  #hasCode = false
  #hasTypes = false

  constructor(options: WriteOptions, facts: Facts) {
    this.types = options.types
    this.classesByValue = options.classesByValue
    this.#options = options
    this.#facts = facts
    this.#scan = new PlainScan(facts.shared)
  }

  /** Undefined when something turned out to be shared that was written as if it were not. */
  write(value: unknown): WrittenGraph | undefined {
    const root = this.value(value, '')
    for (let next = 0; next < this.#places.length; next++) {
      const place = this.#places[next]
      if (place === undefined) break
      this.#place = place
      this.#nodes.push(this.#node(place.object))
    }
    if (this.#scan.newlyShared) return undefined
    if (this.#hasTypes) this.#refuseTypeCycles()
    const document = this.#nodes.length === 0 ? { v: GRAPH_VERSION, r: root } : { v: GRAPH_VERSION, n: this.#nodes, r: root }
    return { text: JSON.stringify(document), hasCode: this.#hasCode }
  }

  /** A value that the current object holds otherwise than as an element or a member of plain data. */
  value(value: unknown, hold: Hold): WireValue {
    if (typeof value === 'object' && value !== null) this.#meet(value, hold)
    return this.member(value, hold)
  }

  /** An element or a member of an array or a plain object, which were met with their holder. */
  member(value: unknown, hold: Hold): WireValue {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'number':
        return isPlainNumber(value) ? value : writeNumber(value)
      case 'undefined':
        return ['u']
      case 'bigint':
        return writeBigInt(value, hold)
      case 'symbol':
        return writeSymbol(value, hold)
      case 'function':
        return ['r', this.#idOf(value, hold)]
      default:
        return value === null ? null : this.#object(value as object, hold)
    }
  }

  /** Whether the current object is captured by a function. */
  get isCaptured(): boolean {
    return this.#place?.isCaptured === true
  }

  /** Whether an array has nothing but its elements. */
  isDense(values: readonly unknown[]): boolean {
    return this.#scan.isDense(values)
  }

  /** Whether an element may be written as it is, inside of JSON. */
  isPlain(value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return isPlainScalar(value)
    return !this.#scan.isRich(value) && !this.#scan.isShared(value) && !(this.#late.size > 0 && this.#late.has(value))
  }

  /** How a function or class travels, found out once. */
  travel(fn: Function): Travel {
    const known = this.#facts.travels.get(fn)
    if (known !== undefined) return known
    const found = this.#findTravel(fn)
    this.#facts.travels.set(fn, found)
    return found
  }

  /** What a registered value is written as, asked for once. */
  wire(type: RegisteredType, value: object): unknown {
    this.#hasTypes = true
    const known = this.#facts.wires.get(value)
    if (known !== undefined) return known.value
    const wire = this.#askForWire(type, value)
    this.#facts.wires.set(value, { value: wire })
    return wire
  }

  /** Notes that the graph holds what only a verified message may hold. */
  markCode(): void {
    this.#hasCode = true
  }

  /**
   * Lets the outermost object through which a function's variable leads here travel by reference instead, if a module exports it:
   * a database pool is not copied, the other process has its own.
   */
  replaceCaptured(): boolean {
    const chain: Place[] = []
    for (let step = this.#place; step !== undefined; step = step.parent) {
      chain.push(step)
      if (typeof step.hold === 'object' && 'variable' in step.hold) break
    }
    const outermost = chain.at(-1)
    const fn = outermost?.parent?.object
    if (outermost === undefined || typeof outermost.hold !== 'object' || !('variable' in outermost.hold) || typeof fn !== 'function') return false
    const objects = chain.map((step) => step.object).filter((object) => typeof object !== 'function' && !this.#facts.references.has(object))
    // Plain data is copied as far as that goes: of it, only what holds the culprit itself is imported instead.
    const isData = (object: object): boolean => this.#scan.verdictOf(object) !== undefined
    for (const object of [...objects.filter((candidate) => !isData(candidate)).toReversed(), ...objects.filter(isData)]) {
      const reference = findReference(object, this.#options.root, fn) ?? findReference(object, this.#options.root, classOf(object))
      if (reference === undefined) continue
      this.#facts.references.set(object, reference)
      return true
    }
    return false
  }

  /** The refusal as the error for the caller. */
  explain(refusal: Refusal): Error {
    const path = describePlace(this.#place, refusal.hold, this.#options.path, this.#options.names)
    const advice = refusal.hint === undefined ? '' : `; ${refusal.hint}`
    return new EncodeError(`${path} ${refusal.message}${advice}`, path, refusal.cause === undefined ? {} : { cause: refusal.cause })
  }

  #object(value: object, hold: Hold): WireValue {
    let isPlain = this.#scan.verdictOf(value)
    if (isPlain === undefined) {
      // Not met with its holder, which is nested too deep: so it is not known either who else holds it.
      this.#meet(value, hold)
      isPlain = this.#scan.verdictOf(value)
      if (isPlain === true) this.#late.add(value)
    } else if (isPlain && this.#late.has(value)) this.#scan.share(value)
    return isPlain !== true || this.#scan.isShared(value) ? ['r', this.#idOf(value, hold)] : ['l', value]
  }

  #meet(value: object, hold: Hold): void {
    this.#scan.forCode = isCaptured(this.#place, hold)
    this.#scan.meet(value, 0)
  }

  #idOf(object: object, hold: Hold): number {
    const known = this.#ids.get(object)
    if (known !== undefined) return known
    const id = this.#places.length
    this.#ids.set(object, id)
    this.#places.push({ parent: this.#place, hold, object, isCaptured: isCaptured(this.#place, hold) })
    return id
  }

  #node(object: object): WireNode {
    const reference = this.#facts.references.get(object) ?? this.#referenceOfType(object)
    if (reference !== undefined) {
      this.#hasCode = true
      return { t: 'm', m: reference.m, p: reference.p }
    }
    if (this.#scan.verdictOf(object) === true) return { t: 'l', v: object }
    return writeNode(object, this)
  }

  /** Of a value whose type says that it should be imported where it can be. */
  #referenceOfType(object: object): FunctionReference | undefined {
    if (typeof object === 'function' || typeOf(object, this.types)?.byReference !== true) return undefined
    let holder = this.#place
    while (holder !== undefined && typeof holder.object !== 'function') holder = holder.parent
    return findReference(object, this.#options.root, holder?.object as Function | undefined)
  }

  #findTravel(fn: Function): Travel {
    try {
      return travelOf(fn, { root: this.#options.root, isTask: false })
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Refusal(`cannot travel to another process: ${why}`, undefined, undefined, { cause })
    }
  }

  #askForWire(type: RegisteredType, value: object): unknown {
    try {
      return toWire(type, value)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Refusal(`is a value of the registered type "${type.name}", whose toWire failed: ${reason}`, 'mend toWire', undefined, { cause })
    }
  }

  #refuseTypeCycles(): void {
    const id = cycleThroughType(this.#nodes)
    if (id === undefined) return
    this.#place = this.#places[id]
    throw new Refusal(
      'is a value of a registered type that holds itself, so it could not be made before what it is made of',
      'let toWire leave the reference out',
    )
  }
}

/** A whole number beyond 2^53 goes as text: some readers of JSON make a BigInt of its digits. */
function writeNumber(value: number): WireValue {
  if (Math.abs(value) >= 1e21 && Number.isFinite(value)) return value
  return ['f', Object.is(value, -0) ? '-0' : String(value)]
}

function writeBigInt(value: bigint, hold: Hold): WireValue {
  const digits = String(value)
  if (digits.length > MOST_DIGITS) throw new Refusal(`has more than ${MOST_DIGITS} digits`, 'pass it as bytes', hold)
  return ['n', digits]
}

function writeSymbol(value: symbol, hold: Hold): WireValue {
  const key = Symbol.keyFor(value)
  if (key !== undefined) return ['s', key]
  const name = wellKnownName(value)
  if (name !== undefined) return ['w', name]
  throw new Refusal(`is ${String(value)}, which is unique to this process`, 'use Symbol.for(name) or a string', hold)
}


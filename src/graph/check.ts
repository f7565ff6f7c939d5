import { DecodeError } from '../errors.ts'
import { isFunctionCode, isIdentifier } from '../functions/function-code.ts'
import { excerpt } from '../protocol/malformed.ts'
import { isLeaf, own } from './check-leaf.ts'
import { CODE_NODES, GRAPH_VERSION, type WireNode, type WireValue } from './document.ts'
import { errorPrototype } from './error-classes.ts'
import { wellKnownSymbol } from './symbols.ts'
import { areColumnNames } from './table.ts'
import { requireType, type TypeRegistry } from './types.ts'

/** Most values that a document may hold, those inside plain sub-trees and columns not counted. */
const MOST_VALUES = 1_000_000

/** More digits than the writer writes: reading them takes ever longer. */
const MOST_DIGITS = 100_000

/** What a document may hold. */
export interface CheckOptions {
  readonly types: TypeRegistry
  readonly allowCode: boolean
}

/** A document whose whole shape was found right. */
export interface CheckedDocument {
  readonly nodes: readonly WireNode[]
  readonly root: WireValue
}

type Unchecked = Readonly<Record<string, unknown>>

/**
 * Checks the shape of a whole document, before anything of it is made, imported or run.
 * @throws {@link DecodeError} with the place in the document, what was expected there and what came.
 */
export function checkDocument(document: unknown, options: CheckOptions): CheckedDocument {
  if (!isRecord(document)) throw wrong('the document', 'an object', document)
  const version = own(document, 'v')
  if (version !== GRAPH_VERSION) throw wrong('"v"', `version ${GRAPH_VERSION} of the format`, version)
  const nodes = own(document, 'n') ?? []
  if (!Array.isArray(nodes)) throw wrong('"n"', 'a list of nodes', nodes)
  const checker = new Checker(nodes, options)
  const root = checker.value(own(document, 'r'), 'r')
  for (let id = 0; id < nodes.length; id++) checker.node(nodes[id], `n[${id}]`)
  return { nodes: nodes as WireNode[], root }
}

class Checker {
  readonly #nodes: readonly unknown[]
  readonly #options: CheckOptions
  #values = 0

  constructor(nodes: readonly unknown[], options: CheckOptions) {
    this.#nodes = nodes
    this.#options = options
    this.#count(nodes.length, 'n')
  }

  value(value: unknown, place: string): WireValue {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value
      case 'number':
        if (Number.isFinite(value)) return value
        break
      case 'object':
        if (value === null) return null
        if (Array.isArray(value) && this.#isTagged(value)) return value as readonly unknown[]
        break
      default:
    }
    throw wrong(place, 'a value', value)
  }

  node(node: unknown, place: string): void {
    const kind = isRecord(node) ? own(node, 't') : undefined
    if (!isRecord(node) || typeof kind !== 'string') throw wrong(place, 'a node', node)
    if (!this.#options.allowCode && CODE_NODES.has(kind)) throw unverified(place)
    this.#nodeOf(kind, node, place)
  }

  #nodeOf(kind: string, node: Unchecked, place: string): void {
    switch (kind) {
      case 'l':
        return expect(Object.hasOwn(node, 'v'), place, 'a plain value in "v"', node)
      case 'a':
        return this.#array(node, place)
      case 'c':
        return this.#table(node, place)
      case 'o':
        expect(own(node, 'z') === undefined || own(node, 'z') === 1, place, '"z" to be 1', node)
        return this.#fields(node, place)
      case 'M':
        this.#list(node, 'v', place)
        return expect((node['v'] as unknown[]).length % 2 === 0, place, 'a key and a value for each entry', node)
      case 'S':
        return this.#list(node, 'v', place)
      case 'E':
        return this.#error(node, place)
      case 'i':
        this.#reference(own(node, 'c'), ['m', 'y', 'f'], `${place}.c`)
        return this.#fields(node, place)
      case 'f':
        return this.#function(node, place)
      case 'B':
        this.#reference(own(node, 'f'), ['m', 'y', 'f', 'B'], `${place}.f`)
        this.value(own(node, 'x'), `${place}.x`)
        return this.#list(node, 'a', place)
      case 'T':
        return this.#registered(node, place)
      default:
        return expect(isLeaf(kind, node), place, `a node, complete and of a kind that is known (here "${kind.slice(0, 20)}")`, node)
    }
  }

  #array(node: Unchecked, place: string): void {
    this.#list(node, 'v', place)
    const length = (node['v'] as unknown[]).length
    const [h, j, x] = [own(node, 'h'), own(node, 'j'), own(node, 'x')]
    expect(areIndices(h, length), `${place}.h`, 'the indices of holes, rising', h)
    if (j !== undefined || x !== undefined) {
      const isRight = Array.isArray(j) && Array.isArray(x) && x.length === length && h === undefined && areIndices(x, j.length)
      expect(isRight, place, 'a list in "j" and in "x" the places in it of the values, rising', node)
    }
    this.#fields(node, place)
    const keys = (own(node, 'k') ?? []) as string[]
    expect(!keys.some((key) => key === 'length' || /^\d+$/.test(key)), `${place}.k`, 'keys that are no index', keys)
  }

  #table(node: Unchecked, place: string): void {
    this.#list(node, 'v', place)
    const [k, j, x, others] = [own(node, 'k'), own(node, 'j'), own(node, 'x'), (node['v'] as unknown[]).length]
    expect(areColumnNames(k), `${place}.k`, 'the names of columns', k)
    const columns: unknown[] = Array.isArray(j) && j.length === (k as unknown[]).length ? [...(j as unknown[])] : []
    const rows = Array.isArray(columns[0]) ? columns[0].length : -1
    const areColumns = columns.length > 0 && columns.every((column) => Array.isArray(column) && column.length === rows)
    expect(areColumns, `${place}.j`, 'a column for each name, all of the same length', j)
    const isRight = Array.isArray(x) && x.length === others && areIndices(x, rows + others)
    expect(isRight, `${place}.x`, 'the places among the rows of the values in "v", rising', x)
  }

  #error(node: Unchecked, place: string): void {
    const [c, m, s, n] = [own(node, 'c'), own(node, 'm'), own(node, 's'), own(node, 'n')]
    expect([m, s, n].every((text) => text === undefined || typeof text === 'string'), place, 'texts in "m", "s" and "n"', node)
    if (typeof c !== 'string') {
      if (!this.#options.allowCode) throw unverified(place)
      this.#reference(c, ['m', 'y', 'f'], `${place}.c`)
    } else if (c !== 'DOMException' && errorPrototype(c) === undefined) {
      expect(requireType(c, this.#options.types).prototype instanceof Error, `${place}.c`, 'the name of a class of errors', c)
    }
    this.#fields(node, place)
  }

  #function(node: Unchecked, place: string): void {
    expect(isFunctionCode(own(node, 'c')), `${place}.c`, 'the code of a function', own(node, 'c'))
    this.#pairs(node, place, isIdentifier)
    const superclass = own(node, 'x')
    if (superclass !== undefined && superclass !== null) this.#reference(superclass, ['m', 'y', 'f', 'B'], `${place}.x`)
    for (const part of ['a', 'q']) {
      const fields = own(node, part)
      if (fields === undefined) continue
      if (!isRecord(fields)) throw wrong(`${place}.${part}`, 'fields', fields)
      this.#fields(fields, `${place}.${part}`)
    }
  }

  #registered(node: Unchecked, place: string): void {
    const name = own(node, 'n')
    if (typeof name !== 'string') throw wrong(`${place}.n`, 'the name of a type', name)
    const itsClass = own(node, 'c')
    if (itsClass !== undefined) this.#reference(itsClass, ['m'], `${place}.c`)
    this.value(own(node, 'v'), `${place}.v`)
  }

  #fields(node: Unchecked, place: string): void {
    if (own(node, 'k') === undefined && own(node, 'w') === undefined && own(node, 'e') === undefined) return
    this.#pairs(node, place, (key) => typeof key === 'string')
    expect(areIndices(own(node, 'e'), (node['k'] as unknown[]).length), `${place}.e`, 'the indices of hidden keys, rising', own(node, 'e'))
  }

  #pairs(node: Unchecked, place: string, isKey: (key: unknown) => boolean): void {
    const keys = own(node, 'k')
    if (!Array.isArray(keys) || !keys.every(isKey)) throw wrong(`${place}.k`, 'a list of names', keys)
    this.#list(node, 'w', place)
    expect((node['w'] as unknown[]).length === keys.length, place, 'as many names in "k" as values in "w"', node)
  }

  #list(node: Unchecked, key: string, place: string): void {
    const values = own(node, key)
    if (!Array.isArray(values)) throw wrong(`${place}.${key}`, 'a list of values', values)
    this.#count(values.length, place)
    for (let index = 0; index < values.length; index++) {
      const value: unknown = values[index]
      if (typeof value !== 'string' && typeof value !== 'boolean' && value !== null) this.value(value, `${place}.${key}`)
    }
  }

  #reference(value: unknown, kinds: readonly string[], place: string): void {
    const isReference = Array.isArray(value) && value[0] === 'r' && this.#isTagged(value)
    const node: unknown = isReference ? this.#nodes[value[1] as number] : undefined
    expect(isRecord(node) && kinds.includes(own(node, 't') as string), place, `a reference to a node of kind ${kinds.join(', ')}`, value)
  }

  #isTagged(value: readonly unknown[]): boolean {
    const [tag, content] = value
    if (tag === 'u') return value.length === 1
    if (value.length !== 2) return false
    switch (tag) {
      case 'l':
        return true
      case 'r':
        return isIndex(content, this.#nodes.length)
      case 'f':
        return typeof content === 'string' && /^(?:-0|NaN|-?Infinity|-?\d{16,21})$/.test(content)
      case 'n':
        return typeof content === 'string' && content.length <= MOST_DIGITS + 1 && /^(?:0|-?[1-9]\d*)$/.test(content)
      case 's':
        return typeof content === 'string'
      case 'w':
        return typeof content === 'string' && wellKnownSymbol(content) !== undefined
      default:
        return false
    }
  }

  #count(values: number, place: string): void {
    this.#values += values
    if (this.#values <= MOST_VALUES) return
    throw new DecodeError(`Cannot read the graph: it holds more than ${MOST_VALUES} values (at ${place}). Send plain data or less of it.`)
  }
}

function areIndices(value: unknown, length: number): boolean {
  if (value === undefined) return true
  if (!Array.isArray(value)) return false
  return value.every((index, place) => isIndex(index, length) && (place === 0 || (value[place - 1] as number) < index))
}

function isIndex(value: unknown, length: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < length
}

function isRecord(value: unknown): value is Unchecked {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function expect(isRight: boolean, place: string, expected: string, got: unknown): void {
  if (!isRight) throw wrong(place, expected, got)
}

function wrong(place: string, expected: string, got: unknown): DecodeError {
  return new DecodeError(`Cannot read the graph at ${place}: expected ${expected}, got ${excerpt(got)}.`)
}

function unverified(place: string): DecodeError {
  return new DecodeError(
    `Cannot read the graph at ${place}: it holds a function or a class, and those are only read from a verified message. ` +
      'Give the process that submits and this one the same secret key.',
  )
}

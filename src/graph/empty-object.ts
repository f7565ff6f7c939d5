import { fromBase64 } from './bytes.ts'
import type { WireNode } from './document.ts'
import { readTable } from './table.ts'

/** The object of a node as it is before what it holds is put in; undefined for a node that needs more than itself. */
export function emptyObject(node: WireNode): object | undefined {
  switch (node.t) {
    case 'l':
      return node.v as object
    case 'a':
      return node.j === undefined ? [] : [...node.j]
    case 'c':
      return readTable(node)
    case 'o':
      return node.z === 1 ? (Object.create(null) as object) : {}
    case 'M':
      return new Map()
    case 'S':
      return new Set()
    case 'D':
      return new Date(node.v ?? Number.NaN)
    case 'X':
      return makeRegExp(node)
    case 'U':
      return new URL(node.v)
    case 'Q':
      return new URLSearchParams(node.v)
    case 'b':
      return fromBase64(node.k, node.v)
    case 'E':
      return makeError(node)
    default:
      return undefined
  }
}

function makeRegExp({ s, f, i }: Extract<WireNode, { t: 'X' }>): RegExp {
  const expression = new RegExp(s, f)
  if (i !== undefined) expression.lastIndex = i
  return expression
}

function makeError({ c, m, s, n }: Extract<WireNode, { t: 'E' }>): object {
  const error = c === 'DOMException' ? new DOMException(m, n) : new Error(m)
  if (s === undefined) Reflect.deleteProperty(error, 'stack')
  else Object.defineProperty(error, 'stack', { value: s, enumerable: false, configurable: true, writable: true })
  return error
}

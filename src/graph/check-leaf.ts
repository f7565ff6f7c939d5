import { isFunctionReference } from '../functions/resolve.ts'
import { isBinary } from './bytes.ts'

type Unchecked = Readonly<Record<string, unknown>>

/** True for the node of that kind, complete, if it is a kind that holds no values. */
export function isLeaf(kind: string, node: Unchecked): boolean {
  const v = own(node, 'v')
  switch (kind) {
    case 'D':
      return v === null || (typeof v === 'number' && Math.abs(v) <= 8.64e15)
    case 'X':
      return isRegExp(own(node, 's'), own(node, 'f')) && isAbsentOr(own(node, 'i'), (i) => Number.isSafeInteger(i) && (i as number) >= 0)
    case 'U':
      return typeof v === 'string' && URL.canParse(v)
    case 'Q':
      return typeof v === 'string'
    case 'b':
      return isBinary(own(node, 'k'), v)
    case 'm':
      return isFunctionReference(node) && ['t', 'm', 'p'].every((key) => Object.hasOwn(node, key))
    case 'y':
      return typeof own(node, 's') === 'string' && isAbsentOr(own(node, 'u'), (u) => typeof u === 'string') && areTexts(own(node, 'p'))
    default:
      return false
  }
}

function isRegExp(source: unknown, flags: unknown): boolean {
  if (typeof source !== 'string' || typeof flags !== 'string') return false
  try {
    return new RegExp(source, flags).flags === flags
  } catch {
    return false
  }
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}

function isAbsentOr(value: unknown, test: (value: unknown) => boolean): boolean {
  return value === undefined || test(value)
}

/** The own property, since a document may come from anyone. */
export function own(record: Unchecked, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

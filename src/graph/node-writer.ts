import type { Travel } from '../functions/travel.ts'
import type { WireValue } from './document.ts'
import type { Hold } from './place.ts'
import type { RegisteredType, TypeRegistry } from './types.ts'

/** What the node of one object needs of whoever writes the graph. */
export interface NodeWriter {
  readonly types: TypeRegistry
  readonly classesByValue: boolean
  /** Whether the object is captured by a function, which may call its getters later. */
  readonly isCaptured: boolean
  /** A value that the object holds otherwise than as an element or a member of plain data. */
  value(value: unknown, hold: Hold): WireValue
  /** An element or a member of an array or a plain object. */
  member(value: unknown, hold: Hold): WireValue
  /** Whether an array has nothing but its elements: no holes and no further keys. */
  isDense(values: readonly unknown[]): boolean
  /** Whether such an element may be written as it is, inside of JSON. */
  isPlain(value: unknown): boolean
  /** How a function or class travels. */
  travel(fn: Function): Travel
  /** What a value of a registered type is written as. */
  wire(type: RegisteredType, value: object): unknown
  /** Notes that the graph holds what only a verified message may hold. */
  markCode(): void
}

import type { FunctionCode } from '../functions/function-code.ts'

/** The version of the format that is written and read here. */
export const GRAPH_VERSION = 1

/** A value as it is written: a scalar for itself, or a short array that begins with a letter. */
export type WireValue = string | number | boolean | null | readonly unknown[]

/** Own fields: keys, values, and which of them are not enumerable. */
export interface WireFields {
  readonly k?: readonly string[]
  readonly w?: readonly WireValue[]
  readonly e?: readonly number[]
}

/** One object of a graph. */
export type WireNode =
  | { readonly t: 'l'; readonly v: unknown }
  /** `h`: the holes among `v`. Or most of it plain: `j` as JSON, in which the values `v` take the places `x`. */
  | ({ readonly t: 'a'; readonly v: readonly WireValue[]; readonly h?: readonly number[]; readonly j?: readonly unknown[]; readonly x?: readonly number[] } & WireFields)
  /** An array of rows with the keys `k` that are plain: `j`, their columns, as JSON. The values `v` take the places `x` among the rows. */
  | {
      readonly t: 'c'
      readonly k: readonly string[]
      readonly j: readonly (readonly unknown[])[]
      readonly x: readonly number[]
      readonly v: readonly WireValue[]
    }
  | ({ readonly t: 'o'; readonly z?: 1 } & WireFields)
  | { readonly t: 'M' | 'S'; readonly v: readonly WireValue[] }
  | { readonly t: 'D'; readonly v: number | null }
  | { readonly t: 'X'; readonly s: string; readonly f: string; readonly i?: number }
  | { readonly t: 'U' | 'Q'; readonly v: string }
  | { readonly t: 'b'; readonly k: string; readonly v: string }
  | ({ readonly t: 'E'; readonly c: WireValue; readonly m?: string; readonly s?: string; readonly n?: string } & WireFields)
  | ({ readonly t: 'i'; readonly c: WireValue } & WireFields)
  | { readonly t: 'm'; readonly m: string; readonly p: readonly string[] }
  | { readonly t: 'y'; readonly s: string; readonly u?: string; readonly p: readonly string[] }
  | {
      readonly t: 'f'
      readonly c: FunctionCode
      readonly k: readonly string[]
      readonly w: readonly WireValue[]
      readonly x?: WireValue
      readonly a?: WireFields
      readonly q?: WireFields
    }
  | { readonly t: 'B'; readonly f: WireValue; readonly x: WireValue; readonly a: readonly WireValue[] }
  /** `c`: its class, whose module may register the type. */
  | { readonly t: 'T'; readonly n: string; readonly v: WireValue; readonly c?: WireValue }

/** Nodes that import, compile or call something, so that only a verified message may hold them. */
export const CODE_NODES: ReadonlySet<string> = new Set(['m', 'y', 'f', 'B', 'i', 'T'])

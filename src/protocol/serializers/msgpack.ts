import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { DecodeError } from '../../errors.ts'
import { DEEPEST_WRITTEN, type TreeFormat, writeTree } from '../tree-writer.ts'
import { checkMsgpack } from './msgpack-check.ts'
import { ownValue } from './own-value.ts'
import type { Serializer } from './serializer.ts'

/** What is used of the package `msgpackr`. */
export interface MsgpackPackage {
  readonly Packr: new (options: object) => { pack(value: unknown): Uint8Array; unpack(bytes: Uint8Array): unknown }
}

/** What the package is given: of these, and of nothing else, it writes what MessagePack says. */
const PACKABLE: TreeFormat<unknown> = {
  deepest: DEEPEST_WRITTEN,
  scalar: (value) => value,
  // Left to itself, the package makes floats of whole numbers beyond 32 bits.
  number: (value) => (Number.isSafeInteger(value) && (value > 0xffff_ffff || value < -0x8000_0000) ? BigInt(value) : value),
  bigint(value, refuse) {
    if (value >= -(2n ** 63n) && value < 2n ** 64n) return value
    throw refuse('is an integer of more than 64 bits, which msgpack cannot hold', 'pass it as text, or use another serializer')
  },
  text(value, refuse) {
    if (value.isWellFormed()) return value
    throw refuse('is a text with half a surrogate pair, which msgpack cannot hold', 'use toWellFormed() on it, or another serializer')
  },
  list: (items) => items,
  object: (entries) => new Map(entries),
  special: (value) => (types.isUint8Array(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : undefined),
}

/**
 * MessagePack as kombu has it: text and bytes are kept apart, integers have 64 bits at most, and there are no times.
 * Timestamps of others are read as Date.
 */
export function createMsgpack({ Packr }: MsgpackPackage): Serializer {
  const packr = new Packr({ useRecords: false, mapsAsObjects: false, copyBuffers: true })
  return {
    encode: (value, name) => packr.pack(writeTree(value, name, PACKABLE)),
    encodeList: (values, names) => packr.pack(values.map((value, index) => writeTree(value, names[index] ?? '', PACKABLE))),
    decode(bytes) {
      checkMsgpack(bytes)
      return ownValue(unpack(bytes), 'msgpack', Infinity)
    },
  }

  function unpack(bytes: Uint8Array): unknown {
    try {
      return packr.unpack(bytes)
    } catch (error) {
      throw new DecodeError(`Cannot read msgpack: ${(error as Error).message}.`, { cause: error })
    }
  }
}

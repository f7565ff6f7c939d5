import { Buffer } from 'node:buffer'
import { endianness } from 'node:os'
import { types } from 'node:util'

type View = NodeJS.ArrayBufferView

interface BinaryKind {
  readonly prototype: object
  /** Bytes of one element. */
  readonly width: number
  make(bytes: ArrayBuffer): object
}

/** Float16Array is missing before Node 24. */
const TYPED_ARRAYS: readonly string[] = [
  'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array',
]

const KINDS: ReadonlyMap<string, BinaryKind> = new Map<string, BinaryKind>([
  ['Buffer', { prototype: Buffer.prototype as object, width: 1, make: (bytes) => Buffer.from(bytes) }],
  ['ArrayBuffer', { prototype: ArrayBuffer.prototype, width: 1, make: (bytes) => bytes }],
  ['DataView', { prototype: DataView.prototype, width: 1, make: (bytes) => new DataView(bytes) }],
  ...TYPED_ARRAYS.flatMap((name) => typedArray(name)),
])

/** The kind of a binary value by its exact class; undefined for a subclass and for memory that is shared or resizable. */
export function binaryKind(value: object): string | undefined {
  const memory = types.isArrayBufferView(value) ? value.buffer : value
  if (!types.isArrayBuffer(memory) || (memory as ArrayBuffer & { readonly resizable?: boolean }).resizable === true) return undefined
  const prototype: unknown = Object.getPrototypeOf(value)
  for (const [name, kind] of KINDS) if (kind.prototype === prototype) return name
  return undefined
}

/** The content of a binary value as base64, numbers little endian. Of a view only its own part. */
export function toBase64(value: object, kind: string): string {
  const bytes = types.isArrayBufferView(value) ? viewed(value) : Buffer.from(value as ArrayBuffer)
  return inLittleEndian(bytes, KINDS.get(kind)?.width ?? 1).toString('base64')
}

/** True for the base64 of a whole number of elements of a kind that this Node has. */
export function isBinary(kind: unknown, base64: unknown): boolean {
  const width = typeof kind === 'string' ? KINDS.get(kind)?.width : undefined
  if (width === undefined || typeof base64 !== 'string' || base64.length % 4 !== 0) return false
  return /^[A-Za-z0-9+/]*={0,2}$/.test(base64) && Buffer.byteLength(base64, 'base64') % width === 0
}

/** Makes a value that {@link isBinary} has passed. */
export function fromBase64(kind: string, base64: string): object {
  const found = KINDS.get(kind)
  if (found === undefined) throw new TypeError(`This Node has no ${kind}`)
  const bytes = inLittleEndian(Buffer.from(base64, 'base64'), found.width)
  return found.make(Uint8Array.from(bytes).buffer)
}

function viewed(view: View): Buffer {
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength)
}

function inLittleEndian(bytes: Buffer, width: number): Buffer {
  if (width === 1 || endianness() === 'LE') return bytes
  const swapped = Buffer.from(bytes)
  return width === 2 ? swapped.swap16() : width === 4 ? swapped.swap32() : swapped.swap64()
}

function typedArray(name: string): (readonly [string, BinaryKind])[] {
  const Class: unknown = Reflect.get(globalThis, name)
  if (typeof Class !== 'function') return []
  const Made = Class as Uint8ArrayConstructor
  return [[name, { prototype: Made.prototype as object, width: Made.BYTES_PER_ELEMENT, make: (bytes) => new Made(bytes) }]]
}

import { isUtf8 } from 'node:buffer'
import { DecodeError } from '../../errors.ts'
import { DEEPEST_READ } from '../json.ts'

/** Extension type of MessagePack's own timestamps. */
const TIMESTAMP = 0xff

/**
 * Refuses bytes that a reader of MessagePack must not be given: the library that reads them makes room for as many items as an
 * array says it has, has extensions of its own, and takes text that is not UTF-8.
 *
 * Sound is one value, whole, with nothing after it, at most 1,000 levels deep, whose texts are UTF-8 and whose only extension is the
 * timestamp.
 * @throws {@link DecodeError} saying what is wrong, and where.
 */
export function checkMsgpack(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  /** How many values each open container still lacks, the innermost in `lacking`. */
  const open: number[] = []
  let lacking = 1
  let at = 0
  while (lacking > 0) {
    lacking--
    if (at >= bytes.length) throw unsound('it ends too early', at)
    const token = readToken(view, bytes, at)
    at = token.end
    if (at > bytes.length) throw unsound('it ends too early', bytes.length)
    if (token.values > 0) {
      // Each takes a byte at least.
      if (token.values > bytes.length - at) throw unsound('it ends too early', at)
      open.push(lacking)
      if (open.length > DEEPEST_READ) throw unsound(`it is nested deeper than ${DEEPEST_READ} levels`, at)
      lacking = token.values
    }
    while (lacking === 0 && open.length > 0) lacking = open.pop() ?? 0
  }
  if (at !== bytes.length) throw unsound('something follows it', at)
}

/** Where a token ends with its own bytes, and how many values follow that belong to it. */
interface Token {
  readonly end: number
  readonly values: number
}

function readToken(view: DataView, bytes: Uint8Array, at: number): Token {
  const first = view.getUint8(at)
  if (first < 0x80 || first >= 0xe0) return { end: at + 1, values: 0 }
  if (first < 0x90) return { end: at + 1, values: 2 * (first & 0x0f) }
  if (first < 0xa0) return { end: at + 1, values: first & 0x0f }
  if (first < 0xc0) return text(bytes, at, at + 1, first & 0x1f)
  const end = at + 1
  switch (first) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return { end, values: 0 }
    case 0xc4:
    case 0xc5:
    case 0xc6: {
      const width = 1 << (first - 0xc4)
      return { end: end + width + readLength(view, end, width), values: 0 }
    }
    case 0xc7:
      return timestamp(view, at, end + 1, readLength(view, end, 1))
    case 0xca:
    case 0xce:
    case 0xd2:
      return { end: end + 4, values: 0 }
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return { end: end + 8, values: 0 }
    case 0xcc:
    case 0xd0:
      return { end: end + 1, values: 0 }
    case 0xcd:
    case 0xd1:
      return { end: end + 2, values: 0 }
    case 0xd6:
    case 0xd7:
      return timestamp(view, at, end, first === 0xd6 ? 4 : 8)
    case 0xd9:
    case 0xda:
    case 0xdb: {
      const width = 1 << (first - 0xd9)
      return text(bytes, at, end + width, readLength(view, end, width))
    }
    case 0xdc:
    case 0xdd:
    case 0xde:
    case 0xdf: {
      const width = first % 2 === 0 ? 2 : 4
      return { end: end + width, values: readLength(view, end, width) * (first < 0xde ? 1 : 2) }
    }
    default:
      throw unsound(first === 0xc1 ? 'it has a byte that means nothing' : 'it has an extension type', at)
  }
}

function readLength(view: DataView, at: number, width: number): number {
  if (at + width > view.byteLength) throw unsound('it ends too early', view.byteLength)
  if (width === 1) return view.getUint8(at)
  return width === 2 ? view.getUint16(at) : view.getUint32(at)
}

function text(bytes: Uint8Array, at: number, start: number, length: number): Token {
  const end = start + length
  if (end <= bytes.length && !isUtf8(bytes.subarray(start, end))) throw unsound('it has a text that is not UTF-8', at)
  return { end, values: 0 }
}

function timestamp(view: DataView, at: number, typeAt: number, length: number): Token {
  if (typeAt >= view.byteLength) throw unsound('it ends too early', view.byteLength)
  if (view.getUint8(typeAt) !== TIMESTAMP || ![4, 8, 12].includes(length)) throw unsound('it has an extension type', at)
  return { end: typeAt + 1 + length, values: 0 }
}

function unsound(problem: string, at: number): DecodeError {
  return new DecodeError(`Cannot read msgpack: ${problem} (at byte ${at}).`)
}

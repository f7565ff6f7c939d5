import { Buffer } from 'node:buffer'
import * as zlib from 'node:zlib'
import { DecodeError, EncodeError } from '../errors.ts'

/** Largest body, after decompression, that is read unless told otherwise: 256 MiB. */
export const LARGEST_BODY: number = 256 * 1024 * 1024

/** A way to compress bodies, by Celery's name. Its "gzip" is another name of zlib. */
export type CompressionName = 'zlib' | 'brotli' | 'zstd'

/** A way to compress bodies. `header` is its name on the wire. */
interface Compression {
  /** Celery's name for it. */
  readonly name: CompressionName
  readonly header: string
  compress(bytes: Uint8Array): Buffer
  decompress(bytes: Uint8Array, options: { maxOutputLength: number }): Buffer
}

/** Celery's "gzip" is a zlib stream; a real gzip file is refused on both sides. */
const ZLIB: Compression = {
  name: 'zlib',
  header: 'application/x-gzip',
  compress: (bytes) => zlib.deflateSync(bytes),
  decompress: (bytes, options) => zlib.inflateSync(bytes, options),
}

const BROTLI: Compression = {
  name: 'brotli',
  header: 'application/x-brotli',
  compress: (bytes) => zlib.brotliCompressSync(bytes),
  decompress: (bytes, options) => zlib.brotliDecompressSync(bytes, options),
}

const ZSTD: Compression = {
  name: 'zstd',
  header: 'application/zstd',
  compress: (bytes) => zlib.zstdCompressSync(bytes),
  decompress: (bytes, options) => zlib.zstdDecompressSync(bytes, options),
}

/** By every name that Celery writes or accepts. */
const COMPRESSIONS: ReadonlyMap<string, Compression> = new Map([
  ...['application/x-gzip', 'gzip', 'zlib'].map((name) => [name, ZLIB] as const),
  ...['application/x-brotli', 'brotli'].map((name) => [name, BROTLI] as const),
  ...['application/zstd', 'zstd', 'zstandard'].map((name) => [name, ZSTD] as const),
])

/** The compression of that name, of any that Celery knows it by; undefined when there is none here. */
export function compressionName(name: string): CompressionName | undefined {
  return COMPRESSIONS.get(name)?.name
}

/** Why a compression of that name cannot be used and what to do; undefined when it can. */
export function compressionProblem(name: string): string | undefined {
  if (COMPRESSIONS.has(name)) return undefined
  const isPythons = /^(application\/x-)?(bz2|bzip2?|lzma|xz)$/.test(name)
  return `${isPythons ? 'Node has no means to read or write it.' : 'there is no such compression.'} Use "zlib", "brotli" or "zstd".`
}

/**
 * Compresses a body. `name` is `gzip`, `zlib`, `brotli` or `zstd`; `header` goes into the message's headers as
 * `compression`.
 * @throws {@link EncodeError} when there is no such compression.
 */
export function compress(body: string | Uint8Array, name: string): { readonly body: Uint8Array; readonly header: string } {
  const compression = COMPRESSIONS.get(name)
  if (compression === undefined) throw new EncodeError(`Compression "${name}" cannot be used: ${compressionProblem(name)}`, 'compression')
  return { body: compression.compress(toBytes(body)), header: compression.header }
}

/**
 * Undoes what the header `compression` names.
 * @throws {@link DecodeError} when it is unknown or unreadable, or the result would be larger than `maxSize` bytes.
 */
export function decompress(body: string | Uint8Array, name: string, maxSize: number = LARGEST_BODY): Uint8Array {
  const compression = find(name)
  try {
    return compression.decompress(toBytes(body), { maxOutputLength: maxSize })
  } catch (error) {
    const tooLarge = (error as { readonly code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE'
    const problem = tooLarge ? `it is larger than ${maxSize} bytes` : `it is not ${compression.header} (${(error as Error).message})`
    throw new DecodeError(`Cannot decompress the body: ${problem}.`, { cause: error })
  }
}

function find(name: string): Compression {
  const compression = COMPRESSIONS.get(name)
  if (compression !== undefined) return compression
  throw new DecodeError(`Compression "${name}" is not supported (known: gzip, zlib, brotli, zstd). Let the sender use one of those.`)
}

function toBytes(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body
}

import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { DecodeError, EncodeError } from '../../src/errors.ts'
import { compress, compressionName, compressionProblem, decompress } from '../../src/protocol/encoding.ts'

describe('compress and decompress', () => {
  test.each([
    ['gzip', 'application/x-gzip'],
    ['zlib', 'application/x-gzip'],
    ['brotli', 'application/x-brotli'],
    ['zstd', 'application/zstd'],
  ])('undo each other with %s, by alias and by header', (name, header) => {
    const compressed = compress('é'.repeat(1000), name)

    expect(compressed.header).toBe(header)
    expect(compressed.body.length).toBeLessThan(200)
    for (const known of [name, header]) expect(Buffer.from(decompress(compressed.body, known)).toString()).toBe('é'.repeat(1000))
  })

  test.each([
    ['zlib', 'zlib'],
    ['gzip', 'zlib'],
    ['application/x-gzip', 'zlib'],
    ['zstandard', 'zstd'],
    ['application/x-brotli', 'brotli'],
    ['constructor', undefined],
  ])('know %s as %s', (name, known) => {
    expect(compressionName(name)).toBe(known)
    expect(compressionProblem(name) === undefined).toBe(known !== undefined)
  })

  test.each(['bzip2', 'bzip', 'application/x-bz2', 'lzma', 'xz', 'application/x-lzma'])('say why there is no %s', (name) => {
    expect(compressionProblem(name)).toBe('Node has no means to read or write it. Use "zlib", "brotli" or "zstd".')
    expect(() => compress('x', name)).toThrow(`Compression "${name}" cannot be used: Node has no means to read or write it.`)
    expect(() => compress('x', name)).toThrow(EncodeError)
  })

  test('refuse a gzip file, which Python refuses too', () => {
    expect(() => decompress(gzipSync('x'), 'gzip')).toThrow(/^Cannot decompress the body: it is not application\/x-gzip/)
  })

  test.each(['application/x-bz2', 'application/x-lzma', 'application/x-snappy', '__proto__'])('refuse %s and name what is known', (name) => {
    expect(() => decompress(new Uint8Array(), name)).toThrow(DecodeError)
    expect(() => decompress(new Uint8Array(), name)).toThrow(`Compression "${name}" is not supported (known: gzip, zlib, brotli, zstd)`)
  })

  test.each(['zlib', 'brotli', 'zstd'])('stop a small %s body that would become a huge one', (name) => {
    const { body } = compress('x'.repeat(10_000_000), name)
    expect(() => decompress(body, name, 1_000_000)).toThrow('Cannot decompress the body: it is larger than 1000000 bytes.')
  })
})

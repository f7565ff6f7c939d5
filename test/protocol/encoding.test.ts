import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../src/errors.ts'
import { compress, decompress } from '../../src/protocol/encoding.ts'

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

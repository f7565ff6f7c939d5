import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import type { CeleryOptions } from '../../src/config/options.ts'
import { ImproperlyConfigured } from '../../src/errors.ts'

function problemsOf(options: CeleryOptions): readonly string[] {
  try {
    loadConfig({ options, env: {} })
    return []
  } catch (error) {
    if (error instanceof ImproperlyConfigured) return error.problems
    throw error
  }
}

describe('serializers and compressions', () => {
  test.each([
    [{ taskSerializer: 'pickle' }, '"taskSerializer" cannot use "pickle": reading pickle would run code chosen by whoever wrote the message. Use "json", "msgpack" or "yaml".'],
    [{ taskSerializer: 'raw' }, '"taskSerializer" cannot use "raw": raw text or bytes cannot hold the arguments of a task. Use "json", "msgpack" or "yaml".'],
    [{ acceptContent: ['json', 'pickle'] }, '"acceptContent" cannot use "pickle": reading pickle would run code'],
    [{ acceptContent: ['application/x-python-serialize'] }, '"acceptContent" cannot use "application/x-python-serialize": reading pickle would run code'],
    [{ acceptContent: [] }, '"acceptContent" must be a list of "json", "msgpack" and "yaml", not [].'],
    [{ resultAcceptContent: ['json', 'pickle'] }, '"resultAcceptContent" cannot use "pickle": reading pickle would run code'],
    [{ resultSerializer: 'pickle' }, '"resultSerializer" cannot use "pickle": reading pickle would run code chosen by whoever wrote the message. Use "json", "msgpack" or "yaml".'],
    [{ taskCompression: 'bzip2' }, '"taskCompression" cannot use "bzip2": Node has no means to read or write it. Use "zlib", "brotli" or "zstd".'],
    [{ taskCompression: 'rar' }, '"taskCompression" cannot use "rar": there is no such compression. Use "zlib", "brotli" or "zstd".'],
  ] as const)('are refused with the reason and the remedy: %j', (options, problem) => {
    expect(problemsOf(options)).toEqual([expect.stringContaining(problem)])
  })

  test('are known by all names of Celery, each once', () => {
    const { acceptContent, taskCompression } = loadConfig({ options: { acceptContent: ['json', 'application/json', 'application/x-yaml'], taskCompression: 'gzip' }, env: {} })
    expect([acceptContent, taskCompression]).toEqual([['json', 'yaml'], 'zlib'])
  })

  test('of results are those of messages, and the one that results are in', () => {
    const of = (options: CeleryOptions): readonly string[] => loadConfig({ options, env: {} }).resultAcceptContent

    expect(of({ acceptContent: ['json', 'yaml'] })).toEqual(['json', 'yaml'])
    expect(of({ resultSerializer: 'application/x-msgpack' })).toEqual(['json', 'msgpack'])
    expect(of({ resultSerializer: 'yaml', resultAcceptContent: ['yaml'] })).toEqual(['yaml'])
  })
})

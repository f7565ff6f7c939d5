import { describe, expect, test } from 'vitest'
import { Codec } from '../src/codec.ts'
import { loadConfig } from '../src/config/config.ts'
import type { CeleryOptions } from '../src/config/options.ts'
import { ContentDisallowed, DecodeError, EncodeError } from '../src/errors.ts'
import { NO_TYPES } from '../src/graph/types.ts'
import { systemClock } from '../src/internal/clock.ts'
import { GRAPH_CONTENT_TYPE } from '../src/protocol/body.ts'
import { buildTaskMessage, type Message, type TaskMessageInput } from '../src/protocol/message.ts'
import { SERIALIZERS, type SerializerName } from '../src/protocol/serializers/open.ts'
import { FUNCTION_HEADER } from '../src/signing/key-ring.ts'

const ALL = { accept: ['json', 'msgpack', 'yaml'], maxSize: 10_000 }
const OTHERS: readonly SerializerName[] = ['msgpack', 'yaml']
const TYPED = { __type__: 'bytes', __value__: 'x' }

function codecWith(options: CeleryOptions = {}): Codec {
  const conf = loadConfig({ options: { brokerUrl: 'memory:', secretKey: 'for this test only', ...options }, env: {} })
  return new Codec({ conf, root: process.cwd(), clock: systemClock, types: NO_TYPES })
}

const codec = codecWith()

function messageOf(encoded: Partial<TaskMessageInput>): Message {
  return buildTaskMessage({ id: 'a', task: 'demo.task', queue: 'celery', origin: 'gen1@host', replyTo: 'r', ...encoded })
}

describe('a call of a function', () => {
  test.each(OTHERS)('that is a plain tree is written in %s when asked', async (name) => {
    const message = messageOf(codec.encodeCall([1, { a: ['é'] }], { b: null }, undefined, undefined, name))

    expect(message).toMatchObject(name === 'yaml' ? { contentType: 'application/x-yaml', contentEncoding: 'utf-8' } : { contentType: 'application/x-msgpack', contentEncoding: 'binary' })
    expect(await codec.decodeCall(message, ALL)).toMatchObject({ args: [1, { a: ['é'] }], kwargs: { b: null } })
  })

  test.each(OTHERS)('that is more than plain data is a graph, whether or not %s could hold it', async (name) => {
    const message = messageOf(codec.encodeCall([new Date(0), Buffer.from('x'), new Map([[1, 2]])], undefined, undefined, undefined, name))

    expect(message.contentType).toBe(GRAPH_CONTENT_TYPE)
    expect((await codec.decodeCall(message, ALL)).args).toEqual([new Date(0), Buffer.from('x'), new Map([[1, 2]])])
  })

  test('takes its links along in any serializer', async () => {
    const embed = { callbacks: [{ task: 'demo.next' }], errbacks: null, chain: null, chord: null }
    for (const name of Object.keys(SERIALIZERS) as SerializerName[]) {
      const message = messageOf({ ...codec.encodeCall([1], undefined, undefined, embed, name), embed })
      expect((await codec.decodeCall(message, ALL)).embed).toEqual(embed)
    }
  })

  test.each(OTHERS)('in %s is refused by a worker that does not accept it', (name) => {
    const message = messageOf(codec.encodeCall([1], undefined, undefined, undefined, name))
    expect(() => codec.decodeCall(message, { accept: ['json'] })).toThrow(ContentDisallowed)
  })
})

describe('a call by name', () => {
  const call = [new Date('2026-11-20T16:51:11.991Z'), 2n ** 70n, Number.NaN]

  test('has its times as text in JSON', async () => {
    const message = messageOf(codec.encodeNamedCall(call, { at: call[0] }))
    expect(message.contentType).toBe('application/json')
    expect(await codec.decodeCall(message, ALL)).toMatchObject({ args: ['2026-11-20T16:51:11.991000+00:00', 2n ** 70n, Number.NaN], kwargs: { at: '2026-11-20T16:51:11.991000+00:00' } })
  })

  test('has its times as times in YAML, and bytes as bytes in both', async () => {
    const yaml = messageOf(codec.encodeNamedCall([...call, Buffer.from('x')], undefined, undefined, 'yaml'))
    const msgpack = messageOf(codec.encodeNamedCall([Buffer.from('x')], undefined, undefined, 'msgpack'))

    expect((await codec.decodeCall(yaml, ALL)).args).toEqual([...call, Buffer.from('x')])
    expect((await codec.decodeCall(msgpack, ALL)).args).toEqual([Buffer.from('x')])
  })

  test.each(['json', 'msgpack', 'yaml'] as const)('names what %s cannot hold', (name) => {
    expect(() => codec.encodeNamedCall([], { a: [new Map()] }, undefined, name)).toThrow(EncodeError)
    expect(() => codec.encodeNamedCall([], { a: [new Map()] }, undefined, name)).toThrow('kwargs.a[0] is a Map, which cannot travel')
  })
})

describe('what looks like a type of kombu', () => {
  test('is one from Python, and plain data from one of ours', async () => {
    const theirs = messageOf({ ...codec.encodeCall([TYPED], undefined, undefined), lang: 'py' })
    const ours = messageOf(codec.encodeCall([TYPED], undefined, undefined))

    expect((await codec.decodeCall(theirs, ALL)).args).toEqual([Buffer.from('x')])
    expect((await codec.decodeCall(ours, ALL)).args).toEqual([TYPED])
  })

  test('is one in a result of Python, and comes back as it was from one of ours', async () => {
    expect(codec.decodeResult('a', TYPED)).toEqual(Buffer.from('x'))
    expect(await codec.decodeResult('a', JSON.parse(codec.encodeResult('a', [TYPED], 'result') ?? ''))).toEqual([TYPED])
  })
})

describe('a result for somebody who did not sign', () => {
  test.each([
    [new Date(0), '"1970-01-01T00:00:00.000000+00:00"'],
    [[Number.NaN, 2n ** 64n, -0], '[NaN,18446744073709551616,0]'],
    [{ a: undefined, b: 1 }, '{"b":1}'],
  ])('is JSON that Python reads: %o', (value, text) => {
    expect(codec.encodeResult('a', value, 'result', true)).toBe(text)
    expect(codec.encodeResult('a', value, 'result')).not.toBe(text)
  })

  test('is a graph where even that cannot hold it', () => {
    expect(codec.encodeResult('a', new Map(), 'result', true)).toBe(codec.encodeResult('a', new Map(), 'result'))
  })
})

test('a call of plain data for a task known by name is not signed: whoever may run it may also send it on, changed', () => {
  const named = messageOf(codec.encodeNamedCall([1], undefined))
  const referring = messageOf({ ...codec.encodeCall([1], undefined, undefined), headers: { [FUNCTION_HEADER]: { t: 'm', m: './tasks.ts', p: ['add'] } } })
  const rich = messageOf(codec.encodeCall([new Map()], undefined, undefined))
  for (const message of [named, referring, rich]) codec.seal(message)

  expect([named, referring, rich].map((message) => codec.verify(message))).toEqual([false, true, true])
})

describe('a compressed call', () => {
  test.each(['gzip', 'zlib', 'brotli', 'zstd'])('by %s is read, in any serializer, and its signature covers what is sent', async (compression) => {
    const encodings = [...(['json', 'msgpack', 'yaml'] as const).map((name) => codec.encodeCall(['é'.repeat(500)], undefined, undefined, undefined, name)), codec.encodeCall([new Date(0)], undefined, undefined)]
    for (const encoded of encodings) {
      const message = messageOf({ ...encoded, compression, headers: { [FUNCTION_HEADER]: { t: 'm', m: './tasks.ts', p: ['add'] } } })
      codec.seal(message)

      expect(codec.verify(message)).toBe(true)
      expect((await codec.decodeCall(message, ALL)).args.length).toBe(1)
      expect(codec.verify({ ...message, headers: { ...message.headers, compression: null } })).toMatchObject({ reason: expect.any(String) })
      expect(codec.verify({ ...message, body: Buffer.concat([Buffer.from(message.body), Buffer.of(0)]) })).toMatchObject({ reason: expect.any(String) })
    }
  })

  test.each(['zlib', 'brotli', 'zstd'])('by %s that would become too large is refused where it is sent and where it is read', (compression) => {
    const encoded = codec.encodeCall(['x'.repeat(20_000)], undefined, undefined)

    expect(() => messageOf({ ...encoded, compression, maxSize: 10_000 })).toThrow('takes 20079 bytes, more than the 10000 that taskMessageMaxSize allows')
    expect(() => codec.decodeCall(messageOf({ ...encoded, compression }), ALL)).toThrow(DecodeError)
    expect(() => codec.decodeCall(messageOf({ ...encoded, compression }), ALL)).toThrow('it is larger than 10000 bytes')
  })
})

import { Buffer } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ResultBackend, StoredResult } from '../../src/backend.ts'
import { ContentDisallowed, DecodeError, EncodeError } from '../../src/errors.ts'
import { Celery } from '../../src/index.ts'
import { decodeException, errorFromWire } from '../../src/protocol/exception.ts'
import { stringifyJson } from '../../src/protocol/json.ts'
import { decodeGroupMeta, decodeResultMeta, encodeGroupMeta, encodeResultMeta, type ResultMeta } from '../../src/protocol/result.ts'
import { restoreTypes } from '../../src/protocol/typed-values.ts'
import type { State } from '../../src/states.ts'
import { testBackend } from '../conformance/backend.ts'
import { golden } from '../protocol/golden.ts'
import { testApplication } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { RecordedLog } from '../support/recorded-log.ts'
import { REDIS_MISSING, RedisServer, type TestRedisClient } from '../support/redis-server.ts'
import { within } from '../support/within.ts'
import { meta, redisFixture, type RedisBackendFixture } from './redis-fixture.ts'
import { PythonClient } from './redis-python-client.ts'

failOnLeftovers()

const hasCelery = spawnSync('/usr/bin/python3', ['-c', 'import celery, redis, msgpack, yaml']).status === 0
const missing = REDIS_MISSING ?? (hasCelery ? undefined : 'Celery for /usr/bin/python3 is not installed with redis, msgpack and yaml')

/** What each serializer holds, as Python writes it down, and what it is here. */
const VALUES: Record<'msgpack' | 'yaml', [source: string, value: unknown][]> = {
  msgpack: [
    ['2**64 - 1', 2n ** 64n - 1n],
    ['-2**63', -(2n ** 63n)],
  ],
  yaml: [
    ['10**40', 10n ** 40n],
    ["{'at': datetime.datetime(2026, 11, 20, 6, 43, 33, 899000), 'z': datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)}", { at: new Date('2026-11-20T06:43:33.899Z'), z: new Date('2026-01-02T03:04:05Z') }],
    ["['1e3', 'no', 'status: X', '\\nstatus: SUCCESS\\n', '']", ['1e3', 'no', 'status: X', '\nstatus: SUCCESS\n', '']],
    ['[1e30, float("inf"), {1, 2}]', [1e30, Infinity, [1, 2]]],
  ],
}
const EVERY: [source: string, value: unknown][] = [
  ['None', null],
  ['{"n": [1, 2.5, "é\u{1f980}", None, {"deep": [True]}], "__proto__x": {}}', { n: [1, 2.5, 'é\u{1f980}', null, { deep: [true] }], __proto__x: {} }],
  ["[b'\\x00\\xff', {'b': b'text'}, b'']", [Buffer.from([0, 255]), { b: Buffer.from('text') }, Buffer.from('')]],
  ['[2**53 + 1, -2**53 - 1, 2**53 - 1, 1e16]', [2n ** 53n + 1n, -(2n ** 53n) - 1n, 2 ** 53 - 1, 1e16]],
  ['"a" * 100000', 'a'.repeat(100_000)],
]

describe.skipIf(missing !== undefined)(`result serializers on redis${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await RedisServer.start()
  })

  afterAll(() => server.dispose())

  describe.each(['msgpack', 'yaml'] as const)('%s', (resultSerializer) => {
    testBackend(`redis in ${resultSerializer}`, () => redisFixture(server, { resultSerializer }))

    let fixture: RedisBackendFixture
    let backend: ResultBackend
    let client: TestRedisClient
    let python: PythonClient
    let round = 0

    /** An id of this test's own: Python remembers results. */
    const of = (name: string): string => `${name}-${round}`

    const read = async (id: string): Promise<ResultMeta> => decodeResultMeta((await backend.get(id))?.text ?? '')

    beforeAll(async () => {
      fixture = await redisFixture(server, { resultSerializer })
      backend = await fixture.open()
      client = await server.client(fixture.url)
      python = PythonClient.start(fixture.url, pythonSettings(resultSerializer))
    })

    afterAll(async () => {
      await python.stop()
      client.destroy()
      await fixture.dispose()
    })

    beforeEach(() => {
      round += 1
    })

    test.each([...EVERY, ...VALUES[resultSerializer]])('%.40s of Python is read here', async (source, value) => {
      await python.call('store_python', of('a'), source, 'SUCCESS')

      const found = await read(of('a'))
      expect(found).toMatchObject({ taskId: of('a'), status: 'SUCCESS', traceback: null, children: [] })
      expect(found.dateDone).toBeGreaterThan(Date.now() - 60_000)
      expect(restoreTypes(found.result)).toEqual(value)
    })

    test('a success of ours is what Python gets', async () => {
      const value = { n: [1, 2.5, 'é\u{1f980}', null, { deep: [true, -7] }], long: 'x'.repeat(70_000), '1e3': 'no' }
      await backend.store(result(of('a'), 'SUCCESS', value))

      expect(await python.call('get', of('a'))).toEqual(value)
      expect(await python.call('meta', of('a'))).toMatchObject({ status: 'SUCCESS', task_id: of('a'), children: [], traceback: null })
    })

    test.each([
      [null, 'None'],
      [2n ** 63n, '9223372036854775808'],
      [2 ** 53, '9007199254740992.0'],
      [-(2 ** 40), '-1099511627776'],
      [[{ __type__: 'base64', __value__: 'AP8=' }, { deep: { __type__: 'bytes', __value__: 'text' } }], "[b'\\x00\\xff', {'deep': b'text'}]"],
      ['2026-11-20T06:43:33.899+00:00', "'2026-11-20T06:43:33.899+00:00'"],
      ['\u2028\x85\n status: x', "'\\u2028\\x85\\n status: x'"],
    ])('%s of ours is the same in Python', async (value, repr) => {
      await backend.store(result(of('a'), 'SUCCESS', value))

      expect(await python.call('repr', of('a'))).toBe(repr)
    })

    test('what looks like a type in a document of ours stays as it is', async () => {
      const value = { 'x-celeriac-graph': { __type__: 'bytes', __value__: 'text' } }
      await backend.store(result(of('a'), 'SUCCESS', value))

      expect((await read(of('a'))).result).toEqual(value)
    })

    test('failures are raised on both sides, with their tracebacks', async () => {
      const failure = { exc_type: 'ValueError', exc_message: ['boom', 42], exc_module: 'builtins' }
      await backend.store(result(of('ours'), 'FAILURE', failure, 'Traceback:\n  here\n'))
      await python.call('fail', of('theirs'), 'boom')

      expect(await python.call('error', of('ours'))).toEqual({ type: 'ValueError', module: 'builtins', args: ["'boom'", '42'] })
      expect(await python.call('traceback', of('ours'))).toBe('Traceback:\n  here\n')
      expect(await read(of('theirs'))).toMatchObject({ status: 'FAILURE', result: { exc_type: 'ValueError', exc_message: ['boom', 42] }, traceback: 'Traceback: here' })
    })

    test('states of one’s own are seen on both sides', async () => {
      await backend.store(result(of('ours'), 'NO', { done: 3, of: 4 }))
      await python.call('store', of('theirs'), { done: 3 }, 'NO')

      expect(await python.call('state', of('ours'))).toEqual(['NO', { done: 3, of: 4 }])
      expect(await backend.get(of('theirs'))).toMatchObject({ status: 'NO' })
      expect((await read(of('theirs'))).result).toEqual({ done: 3 })
    })

    test('a group of ours is restored by Python, with its results', async () => {
      await backend.saveGroup(of('g'), encodeGroupMeta(of('g'), [of('a'), of('b')]), Date.now() + 60_000)
      await backend.store(result(of('b'), 'SUCCESS', 2))
      await backend.store(result(of('a'), 'SUCCESS', 1))

      expect(await python.call('group_get', of('g'))).toEqual([1, 2])
      expect(await client.pTTL(`celery-taskset-meta-${of('g')}`)).toBeGreaterThan(50_000)
    })

    test('a group of Python is read here', async () => {
      await python.call('group_save', of('g'), [of('a'), of('b')])

      expect(decodeGroupMeta((await backend.getGroup(of('g'))) ?? '')).toEqual([of('a'), of('b')])
      expect(await backend.getGroup(of('none'))).toBeUndefined()
    })

    test('what we store wakes a Python client that waits', async () => {
      await python.call('wait_begin', of('a'))

      await backend.store(result(of('a'), 'STARTED', { pid: 1 }))
      await backend.store(result(of('a'), 'SUCCESS', 'woken\u{1f980}'))
      // So that it can have it from nowhere but the channel.
      await backend.forget(of('a'))

      expect(await python.call('wait_end', of('a'))).toBe('woken\u{1f980}')
    })

    test('what Python stores wakes who waits here', async () => {
      const heard: StoredResult[] = []
      const done = Promise.withResolvers<void>()
      backend.subscribe(of('a'), (record) => {
        heard.push(record)
        if (record.status === 'SUCCESS') done.resolve()
      })
      expect(await backend.get(of('a'))).toBeUndefined()

      await python.call('store', of('a'), { pid: 1 }, 'STARTED')
      await python.call('store_python', of('a'), "b'\\xff\\x00'", 'SUCCESS')

      await within(done.promise, 'the result')
      expect(heard.map(({ status }) => status)).toEqual(['STARTED', 'SUCCESS'])
      expect(restoreTypes(decodeResultMeta(heard[1]?.text ?? '').result)).toEqual(Buffer.from([255, 0]))
    })

    test('neither side stores over a success of the other', async () => {
      await backend.store(result(of('ours'), 'SUCCESS', 1))
      await python.call('store', of('theirs'), 1, 'SUCCESS')

      await python.call('store', of('ours'), 2, 'SUCCESS')
      expect(await backend.store(result(of('theirs'), 'FAILURE', null))).toBe(false)

      expect((await read(of('ours'))).result).toBe(1)
      expect((await read(of('theirs'))).result).toBe(1)
    })

    test('of many that store at the same time over what Python stored, one wins, and no state replaces it', async () => {
      const others = await Promise.all([fixture.open(), fixture.open(), fixture.open()])
      const ids = Array.from({ length: 60 }, (_, index) => of(`race${index}`))
      for (const id of ids.slice(0, 20)) await python.call('store', id, { pid: 1 }, 'STARTED')

      const won = await Promise.all(
        ids.map(async (id) => {
          const failed = others.map((other, index) => other.store(result(id, index === 0 ? 'PROGRESS' : 'FAILURE', null)))
          const stored = await Promise.all(others.map(async (other, index) => ((await other.store(result(id, 'SUCCESS', index))) ? [index] : [])))
          await Promise.all(failed)
          return stored.flat()
        }),
      )

      const found = await Promise.all(ids.map(read))
      expect(found.map(({ status, result: value }) => [status, value])).toEqual(won.map(([winner]) => ['SUCCESS', winner]))
      expect(won.every(({ length }) => length === 1)).toBe(true)
    })

    test('what was captured of Celery is read', async () => {
      const [[key, { raw_base64: raw, decoded }] = ['', { raw_base64: '', decoded: {} }]] = captured(resultSerializer)
      await client.set(key, Buffer.from(raw, 'base64'))

      const found = await read(key.replace('celery-task-meta-', ''))
      expect(found).toMatchObject({ status: decoded['status'], result: decoded['result'], taskId: decoded['task_id'] })
    })

    test.each(['json', 'msgpack', 'yaml', 'pickle'].filter((name) => name !== resultSerializer && !(resultSerializer === 'yaml' && name === 'json')))(
      'what Python stored in %s is refused, with what to set, to those who wait too',
      async (other) => {
        const otherPython = PythonClient.start(fixture.url, pythonSettings(other))
        const celery = new Celery({ brokerUrl: 'memory://', resultBackend: fixture.url, resultSerializer, startLocalWorkers: false })
        try {
          const waiting = celery.get(of('a')).exception({ timeout: 15 })
          await otherPython.call('store', of('a'), { a: 1 }, 'SUCCESS')
          const error = await within(waiting, 'the error', 20_000)
          expect(error).toBeInstanceOf(other === 'pickle' ? ContentDisallowed : DecodeError)
          expect(error?.message).toContain(`set result_serializer = "${resultSerializer}" in Python too (here resultSerializer is "${resultSerializer}")`)
          expect(error?.message).toContain(other)

          await otherPython.call('group_save', of('g'), [of('a')])
          await expect(backend.getGroup(of('g'))).rejects.toThrow(`set result_serializer = "${resultSerializer}"`)
          expect(await backend.store(result(of('a'), 'SUCCESS', 1))).toBe(false)
        } finally {
          await otherPython.stop()
          await celery.close()
        }
      },
    )

    test('what is published without being stored is passed over', async () => {
      const log = new RecordedLog()
      const listening = await fixture.open({ logger: log })
      const heard = Promise.withResolvers<string>()
      listening.subscribe(of('a'), ({ status }) => heard.resolve(status))
      await listening.get(of('a'))

      await client.publish(`celery-task-meta-${of('a')}`, '\xc1 garbage')
      await log.says(/is published for a result is not one/)
      await backend.store(result(of('a'), 'SUCCESS', 1))

      expect(await within(heard.promise, 'the result')).toBe('SUCCESS')
    })

    test('a result that cannot be written is stored as the failure that says so', async () => {
      const log = new RecordedLog()
      const storing = await fixture.open({ logger: log })
      const impossible = unwritable(resultSerializer)

      expect(await storing.store(result(of('a'), 'SUCCESS', impossible))).toBe(true)
      await expect(storing.store(result(of('b'), 'PROGRESS', impossible))).rejects.toThrow(EncodeError)

      const { status, result: stored, taskId } = await read(of('a'))
      const error = errorFromWire(decodeException(stored))
      expect([status, taskId]).toEqual(['FAILURE', of('a')])
      expect(error).toBeInstanceOf(EncodeError)
      expect(error.message).toMatch(/^meta\.result/)
      expect(await python.call('error', of('a'))).toMatchObject({ type: 'EncodeError', module: 'kombu.exceptions' })
      expect(log.lines).toEqual([expect.stringContaining(`The SUCCESS of a task was stored as FAILURE: meta.result`)])
    })

    test('arguments that cannot be written are shown as logs show them', async () => {
      const extended = { name: 'add', args: [unwritable(resultSerializer)], kwargs: {}, worker: 'w@h', retries: 0, queue: 'celery' }
      const text = encodeResultMeta({ taskId: of('a'), status: 'SUCCESS', resultText: '3', traceback: null, extended })

      expect(await backend.store({ taskId: of('a'), status: 'SUCCESS', text })).toBe(true)

      expect(await read(of('a'))).toMatchObject({ status: 'SUCCESS', result: 3, args: expect.any(String), name: 'add' })
    })

    test('a key that holds no text is not stored over, and said', async () => {
      const log = new RecordedLog()
      const storing = await fixture.open({ logger: log })
      await client.rPush(`celery-task-meta-${of('a')}`, 'x')

      expect(await storing.store(result(of('a'), 'SUCCESS', 1))).toBe(false)

      expect(log.lines).toEqual([`warn A result was not stored: what the key celery-task-meta-${of('a')} holds is not a result. Delete the key.`])
    })

    test('expires when it is to', async () => {
      await backend.store({ ...result(of('a'), 'SUCCESS', 1), expiresAtMs: Date.now() + 60_000 })
      await backend.store(result(of('a'), 'SUCCESS', 2))
      await backend.store({ taskId: of('b'), status: 'STARTED', text: meta(of('b'), 'STARTED') })

      expect(await client.pTTL(`celery-task-meta-${of('a')}`)).toBeGreaterThan(50_000)
      expect(await client.pTTL(`celery-task-meta-${of('b')}`)).toBe(-1)
    })

    test('tasks return what they return in JSON too', async () => {
      const application = testApplication({ resultBackend: fixture.url, resultSerializer })
      try {
        await application.startWorker()
        const future = application.celery.submit((n: bigint) => ({ n, map: new Map([['b', Buffer.from([0, 255])]]), at: new Date(5), nan: Number.NaN }), 2n ** 70n)
        const failing = application.celery.submit(() => {
          throw new RangeError('too wide')
        })

        expect(await future.result({ timeout: 20 })).toEqual({ n: 2n ** 70n, map: new Map([['b', Buffer.from([0, 255])]]), at: new Date(5), nan: Number.NaN })
        await expect(application.celery.get(failing.id).result({ timeout: 20 })).rejects.toThrow(new RangeError('too wide'))
        expect(await python.call('meta', future.id)).toMatchObject({ status: 'SUCCESS', task_id: future.id })
      } finally {
        await application.close()
      }
    })
  })

  describe('json', () => {
    test.each(['msgpack', 'yaml', 'pickle'])('does not let those hang who wait for what Python stores in %s', async (other) => {
      const url = await server.freshUrl()
      const client = await server.client(url)
      const channel = `celery-task-meta-hang-${other}`
      const python = PythonClient.start(url, pythonSettings(other))
      const celery = new Celery({ brokerUrl: 'memory://', resultBackend: url, startLocalWorkers: false })
      try {
        const waiting = celery.get(`hang-${other}`).result({ timeout: 15 }).catch((error: unknown) => error)
        await expect.poll(async () => (await client.pubSubNumSub(channel))[channel], { timeout: 5000 }).toBe(1)
        await python.call('store', `hang-${other}`, { a: 1 }, 'SUCCESS')

        const error = await within(waiting, 'the error', 20_000)
        expect(error).toBeInstanceOf(other === 'pickle' ? ContentDisallowed : DecodeError)
        expect(String(error)).toContain('set result_serializer = "json" in Python too (here resultSerializer is "json")')
      } finally {
        client.destroy()
        await python.stop()
        await celery.close()
      }
    })
  })
})

function pythonSettings(serializer: string): object {
  return { result_serializer: serializer, accept_content: ['json', 'msgpack', 'yaml', 'pickle'] }
}

function result(taskId: string, status: State, value: unknown, traceback: string | null = null): StoredResult {
  const text = encodeResultMeta({ taskId, status, resultText: stringifyJson(value, 'result'), traceback, dateDoneMs: Date.now() })
  return { taskId, status, text, expiresAtMs: Date.now() + 86_400_000 }
}

/** What JSON holds and the serializer does not. */
function unwritable(serializer: 'msgpack' | 'yaml'): unknown {
  return serializer === 'msgpack' ? [2n ** 70n] : Array.from({ length: 300 }).reduce<unknown>((inner) => [inner], 1)
}

function captured(serializer: string): [string, { readonly raw_base64: string; readonly decoded: Readonly<Record<string, unknown>> }][] {
  const keys = golden('results', `serializer_${serializer}`)['keys'] as Readonly<Record<string, never>>
  return Object.entries(keys).filter(([key]) => key.endsWith('-ok'))
}

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ResultBackend, StoredResult } from '../../src/backend.ts'
import { testBackend, testBackendProcesses } from '../conformance/backend.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { RecordedLog } from '../support/recorded-log.ts'
import { describeRedis, RedisServer, type TestRedisClient } from '../support/redis-server.ts'
import { StoreProcess } from '../support/store-process.ts'
import { within } from '../support/within.ts'
import { meta, redisFixture, type RedisBackendFixture } from './redis-fixture.ts'

failOnLeftovers()

const DAY_MS = 86_400_000

describeRedis('redis', () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await RedisServer.start()
  })

  afterAll(() => server.dispose())

  testBackend('redis', () => redisFixture(server))
  testBackendProcesses('redis', () => redisFixture(server))

  describe('result backend redis as Celery has it', () => {
    let fixture: RedisBackendFixture
    let backend: ResultBackend
    let client: TestRedisClient

    beforeEach(async () => {
      fixture = await redisFixture(server)
      backend = await fixture.open()
      client = await server.client(fixture.url)
    })

    afterEach(async () => {
      client.destroy()
      await fixture.dispose()
    })

    test('leaves and publishes what Python does, in every capture', async () => {
      expect(captures().length).toBeGreaterThan(40)
      const published: Published[] = []
      const subscriber = await server.client(fixture.url)
      await subscriber.pSubscribe('celery-task*', (text, key) => void published.push({ key, text }))

      for (const { file, keys } of captures()) {
        const expiresAtMs = Date.now() + DAY_MS
        for (const { id, status, text } of keys) {
          if (status === undefined) await backend.saveGroup(id, text, expiresAtMs)
          else await backend.store({ taskId: id, status, text, expiresAtMs })
        }

        const expected = keys.map(({ key, text }) => ({ key, text }))
        const found = await Promise.all(keys.map(async ({ key }) => ({ key, text: await client.get(key) })))
        expect({ file, found }).toEqual({ file, found: expected })
        for (const { key } of keys) expect(Math.abs((await client.ttl(key)) - DAY_MS / 1000)).toBeLessThanOrEqual(1)
        expect(await client.dbSize()).toBe(keys.length)
        await expect.poll(() => ({ file, published })).toEqual({ file, published: expected })
        published.length = 0
        await client.flushDb()
      }
      subscriber.destroy()
    })

    test('reads what Python wrote, in every capture', async () => {
      for (const { file, keys } of captures()) {
        for (const { key, text } of keys) await client.set(key, text)

        for (const { id, status, text } of keys) {
          if (status === undefined) expect({ file, group: await backend.getGroup(id) }).toEqual({ file, group: text })
          else expect({ file, record: await backend.get(id) }).toEqual({ file, record: { taskId: id, status, text } })
        }
      }
    })

    test('never expires what has no time, and lets Redis forget what has', async () => {
      await backend.store({ taskId: 'kept', status: 'SUCCESS', text: meta('kept', 'SUCCESS') })
      await backend.store({ taskId: 'short', status: 'STARTED', text: meta('short', 'STARTED'), expiresAtMs: Date.now() + 50 })
      await backend.saveGroup('g', '{"result": [["g", null], []]}', undefined)

      expect(await client.ttl('celery-task-meta-kept')).toBe(-1)
      expect(await client.ttl('celery-taskset-meta-g')).toBe(-1)
      await expect.poll(() => backend.get('short')).toBeUndefined()
      expect(await client.dbSize()).toBe(2)
    })

    test('renews or ends the time of a record with the one that replaces it', async () => {
      await backend.store({ taskId: 'a', status: 'STARTED', text: meta('a', 'STARTED'), expiresAtMs: Date.now() + 60_000 })
      await backend.store({ taskId: 'a', status: 'RETRY', text: meta('a', 'RETRY'), expiresAtMs: Date.now() + DAY_MS })
      expect(await client.ttl('celery-task-meta-a')).toBeGreaterThan(80_000)

      await backend.store({ taskId: 'a', status: 'SUCCESS', text: meta('a', 'SUCCESS') })

      expect(await client.ttl('celery-task-meta-a')).toBe(-1)
    })

    test('puts the prefix in front of every key and channel, and finds no others', async () => {
      const prefixed = await fixture.open({ redis: { keyPrefix: 'tenant[1]_' } })
      await backend.store({ taskId: 'a', status: 'SUCCESS', text: meta('a', 'SUCCESS', '"other"') })
      const told = Promise.withResolvers<string>()
      prefixed.subscribe('a', ({ text }) => told.resolve(text))
      expect(await prefixed.get('a')).toBeUndefined()

      await prefixed.store({ taskId: 'a', status: 'SUCCESS', text: meta('a', 'SUCCESS') })
      await prefixed.saveGroup('g', '{"result": []}', undefined)
      await prefixed.store({ taskId: 'old', status: 'SUCCESS', text: 'no meta', expiresAtMs: 1 })
      await backend.store({ taskId: 'old', status: 'SUCCESS', text: 'no meta', expiresAtMs: 1 })

      expect(await within(told.promise, 'the result')).toBe(meta('a', 'SUCCESS'))
      const keys = ['celery-task-meta-a', 'celery-task-meta-old', 'celery-taskset-meta-g']
      expect((await client.keys('tenant*')).sort()).toEqual(keys.map((key) => `tenant[1]_${key}`))
      expect(await prefixed.cleanup()).toBe(1)
      expect(await client.exists('celery-task-meta-old')).toBe(1)
    })

    test('keeps a final state that was written with its fields in another order', async () => {
      await client.set('celery-task-meta-a', '{"task_id": "a", "result": [1e400, NaN], "status": "SUCCESS"}')
      await client.set('celery-task-meta-b', '{"task_id":"b","result":null,"status":"STARTED"}')

      expect(await backend.store({ taskId: 'a', status: 'FAILURE', text: meta('a', 'FAILURE') })).toBe(false)
      expect(await backend.store({ taskId: 'b', status: 'FAILURE', text: meta('b', 'FAILURE') })).toBe(true)

      expect((await backend.get('a'))?.status).toBe('SUCCESS')
    })

    test.each([
      ['text', 'not JSON at all'],
      ['JSON without a status', '{"result": 1}'],
      ['a pickle', '\u0080\u0004\u0095'],
      ['nothing', ''],
    ])('stores nothing over %s, says so, and lets the others of the same turn be stored', async (_, foreign) => {
      const logger = new RecordedLog()
      const logging = await fixture.open({ logger })
      await client.set('celery-task-meta-a', foreign)

      const stored = ['before', 'a', 'after'].map((taskId) => logging.store({ taskId, status: 'SUCCESS', text: meta(taskId, 'SUCCESS') }))

      expect(await Promise.all(stored)).toEqual([true, false, true])
      expect(logger.lines.filter((line) => line.includes('celery-task-meta-a'))).toHaveLength(1)
      expect(await client.get('celery-task-meta-a')).toBe(foreign)
      expect((await logging.get('a'))?.status).toBe('FAILURE')
    })

    test('stores nothing over a key of another type, and lets the others of the same turn be stored', async () => {
      await client.lPush('celery-task-meta-a', 'an element')

      const stored = ['before', 'a', 'after'].map((taskId) => backend.store({ taskId, status: 'SUCCESS', text: meta(taskId, 'SUCCESS') }))

      expect(await Promise.all(stored)).toEqual([true, false, true])
      expect(await backend.getMany(['before', 'a', 'after'])).toHaveLength(2)
    })

    test('takes states with quotes and line breaks in their names', async () => {
      const status = 'a "state"\n\\'
      const text = meta('a', 'x').replace('"x"', JSON.stringify(status))

      expect(await backend.store({ taskId: 'a', status, text })).toBe(true)

      expect(await backend.get('a')).toEqual({ taskId: 'a', status, text })
      expect(await backend.store({ taskId: 'a', status: 'SUCCESS', text: meta('a', 'SUCCESS') }, { onlyOver: [status] })).toBe(true)
    })

    test('passes over what is published and is no result, with one warning', async () => {
      const logger = new RecordedLog()
      const logging = await fixture.open({ logger })
      const told = Promise.withResolvers<string>()
      logging.subscribe('a', ({ text }) => told.resolve(text))
      await expect.poll(() => subscriptions()).toEqual(['celery-task-meta-a'])

      for (const garbage of ['', 'text', '[]', '{"status": 1}', '\u0080']) await client.publish('celery-task-meta-a', garbage)
      await client.publish('celery-task-meta-a', '{"task_id": "a", "result": 5, "status": "SUCCESS"}')

      expect(await within(told.promise, 'the result')).toBe('{"task_id": "a", "result": 5, "status": "SUCCESS"}')
      expect(logger.lines).toHaveLength(1)
    })

    test('reads once for whoever subscribes and then gets', async () => {
      const reader = await fixture.open()
      await client.configResetStat()

      const ends = ids(1000).map((id) => reader.subscribe(id, () => {}))
      await reader.getMany(ids(1000))
      await Promise.all(ids(3).map((id) => reader.get(id)))

      const calls = (await client.info('commandstats')).matchAll(/cmdstat_(mget|subscribe):calls=(\d+)/g)
      expect(Object.fromEntries([...calls].map(([, name, count]) => [name, Number(count)]))).toEqual({ mget: 5, subscribe: 1 })
      for (const end of ends) end()
    })

    test('gets what is there now, also while it waits for a subscription to be confirmed', async () => {
      const heard: string[] = []
      backend.subscribe('a', ({ text }) => heard.push(text))
      const early = backend.get('a')
      await backend.store({ taskId: 'a', status: 'STARTED', text: meta('a', 'STARTED') })

      expect((await backend.get('a'))?.status).toBe('STARTED')

      await early
      await expect.poll(() => heard).toEqual([meta('a', 'STARTED')])
    })

    test('tells a record once, also where it is read again after a reconnection', async () => {
      const heard: string[] = []
      backend.subscribe('a', ({ status }) => heard.push(status))
      await backend.get('a')
      await backend.store({ taskId: 'a', status: 'STARTED', text: meta('a', 'STARTED') })
      await expect.poll(() => heard).toEqual(['STARTED'])

      await client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
      await expect.poll(() => subscriptions(), { timeout: 10_000 }).toEqual(['celery-task-meta-a'])
      await backend.store({ taskId: 'a', status: 'SUCCESS', text: meta('a', 'SUCCESS') })

      await expect.poll(() => heard).toEqual(['STARTED', 'SUCCESS'])
    })

    test('stores what it was given before it was closed', async () => {
      const storing = ids(3).map((id) => backend.store({ taskId: id, status: 'SUCCESS', text: meta(id, 'SUCCESS') }))

      await backend.close()

      expect(await Promise.all(storing)).toEqual([true, true, true])
      expect(await client.dbSize()).toBe(3)
    })

    test('ends at the server what nobody waits for any more', async () => {
      const ends = ids(10_000).map((id) => backend.subscribe(id, () => {}))
      await expect.poll(() => subscriptions().then((channels) => channels.length)).toBe(10_000)

      for (const end of ends) end()

      await expect.poll(() => subscriptions()).toEqual([])
    })

    test('never lets four processes put anything over a success', async () => {
      const processes = await Promise.all(ids(4).map(() => StoreProcess.start(fixture.shared ?? { url: '', root: '' })))
      const states = ['STARTED', 'SUCCESS', 'FAILURE', 'RETRY']
      const records = ids(200).flatMap((taskId) => states.map((status) => ({ taskId, status, text: meta(taskId, status) })))
      const seen = new Map<string, string[]>()
      for (const id of ids(200)) backend.subscribe(id, ({ status }) => seen.set(id, [...(seen.get(id) ?? []), status]))
      await backend.getMany(ids(200))

      const shuffled = (seed: number): StoredResult[] => records.toSorted((a, b) => rank(a.text, seed) - rank(b.text, seed))
      await Promise.all(processes.map((one, index) => one.call({ do: 'store', records: shuffled(index) })))

      const found = await backend.getMany(ids(200))
      expect(found.map(({ status }) => status)).toEqual(Array(200).fill('SUCCESS'))
      await expect.poll(() => [...seen.values()].map((states) => states.at(-1))).toEqual(Array(200).fill('SUCCESS'))
      await Promise.all(processes.map((one) => one.kill()))
    })

    function subscriptions(): Promise<string[]> {
      return client.pubSubChannels('celery-task-meta-*')
    }
  })
})

/** An order that differs from process to process. */
function rank(text: string, seed: number): number {
  let hash = seed * 2_654_435_761
  for (const character of text) hash = (hash * 31 + character.charCodeAt(0)) >>> 0
  return hash
}

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `id-${index}`)
}

interface Published {
  readonly key: string
  readonly text: string
}

interface Kept {
  readonly key: string
  readonly id: string
  /** Absent for groups. */
  readonly status?: string
  readonly text: string
}

interface Capture {
  readonly type: string
  readonly raw?: string
  readonly decoded?: { readonly status?: string }
}

/** The keys with JSON results in them of every capture that has some. */
function captures(): { file: string; keys: Kept[] }[] {
  const folder = join(import.meta.dirname, '../golden/results')
  return readdirSync(folder).flatMap((file) => {
    const { keys = {} } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { keys?: Record<string, Capture> }
    const texts = Object.entries(keys).filter(([, { type, raw = '' }]) => type === 'string' && /"(status|result)": /.test(raw))
    const kept = texts.map(([key, { raw = '', decoded }]) => keptOf(key, raw, decoded?.status))
    return kept.length > 0 ? [{ file, keys: kept }] : []
  })
}

function keptOf(key: string, text: string, status: string | undefined): Kept {
  const id = key.replace(/^celery-task(set)?-meta-/, '')
  return key.startsWith('celery-taskset') ? { key, id, text } : { key, id, text, status: status ?? '' }
}

import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StoredResult } from '../../src/backend.ts'
import { decodeResultMeta } from '../../src/protocol/result.ts'
import { describeRedis, RedisServer } from '../support/redis-server.ts'
import { meta, redisFixture, type RedisBackendFixture } from './redis-fixture.ts'

describeRedis('a result in Redis that somebody has spoilt', () => {
  let server: RedisServer
  let fixture: RedisBackendFixture

  beforeEach(async () => {
    server = await RedisServer.start()
    fixture = await redisFixture(server)
  })

  afterEach(async () => {
    await fixture.dispose()
    await server.dispose()
  })

  const spoilt = [
    '{"status": "SUCCESS", "celeriac-expires": nope',
    '{"status": "SUCCESS", "celeriac-expires": "soon", "celeriac-text": "1"}',
    '{"status": "SUCCESS", "celeriac-expires": null, "celeriac-text": 1}',
    '{"status": "SUCCESS", "celeriac-expires": null}',
  ]

  test.each(['json', 'msgpack', 'yaml'] as const)('is a failure that says so, and keeps no other from being read, in %s', async (resultSerializer) => {
    const backend = await fixture.open({ redis: { resultSerializer } })
    const client = await server.client(fixture.url)
    const good = { taskId: 'good', status: 'SUCCESS', text: meta('good', 'SUCCESS') } as const
    await backend.store(good)
    for (const [index, text] of spoilt.entries()) await client.set(`celery-task-meta-${index}`, text)

    const records = await backend.getMany([...spoilt.keys()].map(String).concat('good'))

    expect(records.map(({ taskId, status }) => [taskId, status])).toEqual([['0', 'FAILURE'], ['1', 'FAILURE'], ['2', 'FAILURE'], ['3', 'FAILURE'], ['good', 'SUCCESS']])
    expect(decodeResultMeta(records.at(-1)?.text ?? '').result).toBe(1)
  })

  test.each(['json', 'msgpack', 'yaml'] as const)('is passed over when it is published, in %s', async (resultSerializer) => {
    const backend = await fixture.open({ redis: { resultSerializer } })
    const client = await server.client(fixture.url)
    const told: StoredResult[] = []
    backend.subscribe('a', (record) => told.push(record))
    await expect.poll(() => client.pubSubNumSub('celery-task-meta-a')).toEqual({ 'celery-task-meta-a': 1 })

    for (const text of spoilt) await client.publish('celery-task-meta-a', text)
    await backend.store({ taskId: 'a', status: 'SUCCESS', text: meta('a', 'SUCCESS') })

    await expect.poll(() => told.map(({ status }) => status)).toEqual(['SUCCESS'])
  })
})

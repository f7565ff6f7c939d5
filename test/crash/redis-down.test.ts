import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'

import { newFolder, type WebProcess } from '../services/web-process.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { describeRedis, RedisServer } from '../support/redis-server.ts'
import { Caller } from './caller-process.ts'
import type { CallReport } from './fixtures/caller.ts'
import { redisEnvironment, startWorkerProcess } from './worker-process.ts'

/** Seconds. */
const CONNECTION_TIMEOUT = 1.5
/** How late an answer may be on a busy machine. */
const SLACK_MS = 1_000

failOnLeftovers()

describeRedis('a web process', () => {
  let folder: string
  let server: RedisServer
  let caller: Caller
  let worker: WebProcess | undefined

  beforeEach(async () => {
    folder = newFolder()
    server = await RedisServer.start({ appendOnly: true, config: { appendfsync: 'no' } })
    caller = await Caller.start(redisEnvironment(folder, server.url(), { CELERY_BROKER_CONNECTION_TIMEOUT: String(CONNECTION_TIMEOUT) }))
    return async () => {
      await caller.kill()
      worker?.child.kill('SIGKILL')
      await worker?.ended
      worker = undefined
      await server.dispose()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('whose Redis is away when it starts is told so in one line within the deadline, and works once it is there', async () => {
    await server.kill()
    const refused = await Promise.all([caller.call('submit', done()), caller.call('map', done()), caller.call('state', crypto.randomUUID())])
    await server.restart()
    const { value, error } = await caller.call('submit', done())

    for (const report of refused) expectRefusal(report)
    expect({ value, error }).toEqual({ value: expect.stringMatching(/^[0-9a-f-]{36}$/), error: undefined })
    await expectCleanEnd()
  })

  test('whose Redis goes away is told so in one line within the deadline by every call, and works again afterwards', async () => {
    const { value: id } = await caller.call('submit', done())
    await server.kill()
    const refused = await Promise.all([caller.call('submit', done()), caller.call('map', done()), caller.call('state', String(id)), caller.call('status')])
    await server.restart()
    const again = await Promise.all([caller.call('submit', done()), caller.call('map', done()), caller.call('state', String(id)), caller.call('status')])

    for (const report of refused) expectRefusal(report)
    expect(again.map(({ error }) => error)).toEqual([undefined, undefined, undefined, undefined])
    expect(again[2]?.value).toBe('PENDING')
    await expectCleanEnd()
  })

  test('that waits for a result over an outage gets it after the return', async () => {
    const { value: id } = await caller.call('submit', done())
    const waiting = caller.call('result', String(id))
    await expect.poll(subscribers, { timeout: 5_000 }).toBe(1)
    await server.kill()
    // Longer than the deadline of a call.
    await expect(caller.call('submit', done())).resolves.toMatchObject({ error: { name: 'OperationalError' } })
    await server.restart()
    worker = startWorkerProcess({ folder, url: server.url(), concurrency: 1 })

    expect(await waiting).toMatchObject({ value: 'done' })
    await expectCleanEnd()
  })

  test('can be closed within the deadline while its Redis is away', async () => {
    const { value: id } = await caller.call('submit', done())
    const waiting = caller.call('result', String(id))
    await expect.poll(subscribers, { timeout: 5_000 }).toBe(1)
    await server.kill()
    const closed = await caller.call('close')

    expect(closed.error).toBeUndefined()
    expect(closed.ms).toBeLessThan(CONNECTION_TIMEOUT * 1000 + SLACK_MS)
    expect((await waiting).error).toBeDefined()
    expect(await caller.leave()).toEqual({ code: 0, output: '' })
  })

  test('can be closed within the deadline while its Redis is frozen', async () => {
    await caller.call('submit', done())
    server.pause()
    const refused = caller.call('submit', done())
    const closed = await caller.call('close')
    server.resume()

    expect(closed.error).toBeUndefined()
    expect(closed.ms).toBeLessThan(CONNECTION_TIMEOUT * 1000 + SLACK_MS)
    expect((await refused).error).toBeDefined()
    expect(await caller.leave()).toEqual({ code: 0, output: '' })
  })

  function done(): string {
    return join(folder, 'done')
  }

  async function subscribers(): Promise<number> {
    const client = await server.client()
    const channels = (await client.sendCommand(['PUBSUB', 'CHANNELS', 'celery-task-meta-*'])) as unknown as unknown[]
    client.destroy()
    return channels.length
  }

  function expectRefusal({ error, value, ms }: CallReport): void {
    expect({ name: error?.name, value }).toEqual({ name: 'OperationalError', value: undefined })
    expect(error?.message).toMatch(/^The (broker|result backend) "redis:\/\/127\.0\.0\.1:\d+\/0" [^\n]*\.$/)
    expect(ms).toBeLessThan(CONNECTION_TIMEOUT * 1000 + SLACK_MS)
  }

  async function expectCleanEnd(): Promise<void> {
    expect((await caller.call('close')).error).toBeUndefined()
    expect(await caller.leave()).toEqual({ code: 0, output: '' })
  }
})

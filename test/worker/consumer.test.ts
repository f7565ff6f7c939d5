import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { ResultBackend } from '../../src/backend.ts'
import { openBackend } from '../../src/backends/open.ts'
import type { Broker } from '../../src/broker.ts'
import { loadConfig } from '../../src/config/config.ts'
import { type Deferred, deferred } from '../../src/internal/deferred.ts'
import type { Outcome, Pool } from '../../src/pool.ts'
import { buildTaskMessage } from '../../src/protocol/message.ts'
import { TaskConsumer } from '../../src/worker/consumer.ts'
import { RevokedTasks } from '../../src/worker/revoked.ts'
import { RunningTasks } from '../../src/worker/running.ts'
import { memoryBroker } from '../services/support.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { RecordedLog } from '../support/recorded-log.ts'
import { turn, within } from '../support/within.ts'

const HOUR_MS = 3_600_000

/** A pool whose tasks end when the test says so. */
class GatedPool implements Pool {
  readonly size = 2
  readonly isolated = true
  /** Ids in the order in which they were given to it. */
  readonly begun: string[] = []
  readonly #gates = new Map<string, Deferred<Outcome>>()

  start = (): Promise<void> => Promise.resolve()
  stop = (): Promise<void> => Promise.resolve()
  terminate = (): boolean => false
  pids = (): number[] => []
  pidOf = (id: string): number | undefined => (this.#gates.has(id) ? 1 : undefined)

  run = ({ id }: { id: string }): Promise<Outcome> => {
    this.begun.push(id)
    const gate = deferred<Outcome>()
    this.#gates.set(id, gate)
    return gate.promise
  }

  end(id: string, outcome: Outcome = { kind: 'succeeded', resultText: '1' }): void {
    this.#gates.get(id)?.resolve(outcome)
    this.#gates.delete(id)
  }
}

let clock: ManualClock
let broker: Broker
let backend: ResultBackend
let pool: GatedPool
let log: RecordedLog
let consumer: TaskConsumer
let stopping: boolean

beforeEach(async () => {
  clock = new ManualClock()
  log = new RecordedLog()
  broker = await memoryBroker(clock)
  backend = openBackend(`memory://${crypto.randomUUID()}`, { root: '/', clock, logger: log, connectionTimeoutMs: 1_000 })
  await backend.connect()
  pool = new GatedPool()
  stopping = false
  const insist = async (_what: string, write: () => Promise<unknown>): Promise<void> => {
    if (stopping) throw new Error('the worker stops')
    await write()
  }
  consumer = new TaskConsumer({
    broker,
    queues: ['celery'],
    name: 'worker@test',
    context: {
      pool,
      backend,
      conf: loadConfig({ options: { root: process.cwd() }, env: {} }),
      revoked: new RevokedTasks(clock),
      running: new RunningTasks(clock),
      clock,
      logger: log,
      hostname: 'worker@test',
      insist,
    },
  })
  await consumer.start()
})

afterEach(async () => {
  await consumer.pause()
  for (const id of pool.begun) pool.end(id)
  await consumer.close()
  await Promise.all([broker.close(), backend.close()])
})

async function send(id: string, options: { dueInMs?: number; headers?: Record<string, unknown> } = {}): Promise<void> {
  const message = buildTaskMessage({ id, task: 'task', queue: 'celery', origin: 'test', replyTo: 'reply', headers: options.headers })
  await broker.publish([{ queue: 'celery', message, ...(options.dueInMs !== undefined && { dueAtMs: clock.now() + options.dueInMs }) }])
}

async function stateOf(id: string): Promise<string | undefined> {
  return (await backend.get(id))?.status
}

describe('a consumer', () => {
  test('keeps the slots of the pool busy, oldest first', async () => {
    for (const id of ['a', 'b', 'c']) await send(id)
    await expect.poll(() => pool.begun).toEqual(['a', 'b'])

    pool.end('b')

    await expect.poll(() => pool.begun).toEqual(['a', 'b', 'c'])
  })

  test('stores the outcome before it acknowledges', async () => {
    await send('a')
    await expect.poll(() => pool.begun).toEqual(['a'])
    const stored = deferred()
    const store = backend.store.bind(backend)
    backend.store = async (...given) => {
      await stored.promise
      return store(...given)
    }

    pool.end('a')
    await turn()
    expect(await broker.depth('celery')).toMatchObject({ unacked: 1 })

    stored.resolve()
    await expect.poll(() => broker.depth('celery')).toMatchObject({ unacked: 0, ready: 0 })
    expect(await stateOf('a')).toBe('SUCCESS')
  })

  test('runs tasks of one id one after the other', async () => {
    await send('same')
    await send('same')
    await expect.poll(async () => (await broker.depth('celery')).parked).toBe(1)
    expect(pool.begun).toEqual(['same'])

    pool.end('same')
    await expect.poll(async () => (await broker.depth('celery')).unacked).toBe(0)
    clock.advance(1_000)

    await expect.poll(() => pool.begun).toEqual(['same', 'same'])
  })

  test('waits, when it closes, until what the pool has ended is acknowledged, and gives back the rest', async () => {
    for (const id of ['a', 'b', 'c']) await send(id)
    await expect.poll(() => pool.begun).toEqual(['a', 'b'])

    await consumer.pause()
    pool.end('a')
    pool.end('b', { kind: 'lost', detail: 'stopped', bystander: true })
    await within(consumer.close(), 'the consumer to close')

    expect(await stateOf('a')).toBe('SUCCESS')
    expect(await broker.depth('celery')).toEqual({ ready: 2, unacked: 0, parked: 0, dead: 0 })
  })

  test('does not run what it could not acknowledge early, because the worker stops', async () => {
    stopping = true
    await send('early', { headers: { 'x-celeriac-acks-late': false } })
    await send('late')

    await expect.poll(() => pool.begun).toEqual(['late'])
  })

  test('looks up whether a task that waited for hours was cancelled, as it may have forgotten', async () => {
    await send('cancelled', { dueInMs: 5 * HOUR_MS })
    await send('wanted', { dueInMs: 5 * HOUR_MS })
    await backend.store({ taskId: 'cancelled', status: 'REVOKED', text: '{}' })

    clock.advance(5 * HOUR_MS)

    await expect.poll(() => pool.begun).toEqual(['wanted'])
    await log.says(/cancelled\] is revoked/)
  })

  test('shows a task as STARTED once it has run for a moment, and not one that is over at once', async () => {
    await send('short')
    await send('long')
    await expect.poll(() => pool.begun).toEqual(['short', 'long'])

    pool.end('short')
    await expect.poll(() => stateOf('short')).toBe('SUCCESS')
    clock.advance(100)

    await expect.poll(() => stateOf('long')).toBe('STARTED')
  })
})

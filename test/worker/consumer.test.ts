import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import type { ResultBackend } from '../../src/backend.ts'
import { openBackend } from '../../src/backends/open.ts'
import type { Broker, Delivery } from '../../src/broker.ts'
import { Codec } from '../../src/codec.ts'
import { type Config, loadConfig } from '../../src/config/config.ts'
import { NO_TYPES } from '../../src/graph/types.ts'
import { NOT_BEGUN, type Outcome, type Pool } from '../../src/pool.ts'
import { compress } from '../../src/protocol/encoding.ts'
import { buildTaskMessage } from '../../src/protocol/message.ts'
import { TaskConsumer, type TaskConsumerOptions } from '../../src/worker/consumer.ts'
import { ACKS_LATE_HEADER } from '../../src/submitter.ts'
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
  ahead = 0
  readonly isolated = true
  /** Ids in the order in which they were given to it. */
  readonly begun: string[] = []
  readonly #gates = new Map<string, PromiseWithResolvers<Outcome>>()

  start = (): Promise<void> => Promise.resolve()
  stop = (): Promise<void> => Promise.resolve()
  terminate = (): boolean => false
  withdraw = (): boolean => false
  ranLong = (): void => {}
  pids = (): number[] => []
  pidOf = (id: string): number | undefined => (this.#gates.has(id) ? 1 : undefined)

  run = ({ id }: { id: string }): Promise<Outcome> => {
    this.begun.push(id)
    if (id === 'broken') throw new TypeError('a fault of our own')
    const gate = Promise.withResolvers<Outcome>()
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
let conf: Config
let running: RunningTasks
let stopping: boolean
let options: TaskConsumerOptions
/** What acknowledging waits for. */
let slowAck: Promise<void> | undefined
/** Ids of tasks whose lease has ended. */
let lost: Set<string>
/** What was written until it was taken. */
let insisted: string[]

beforeEach(async () => {
  clock = new ManualClock()
  log = new RecordedLog()
  broker = await memoryBroker(clock)
  lost = new Set()
  const consume = broker.consume.bind(broker)
  broker.consume = (options) => consume({ ...options, onDeliveries: (deliveries) => options.onDeliveries(deliveries.map(losable)) })
  running = new RunningTasks(clock)
  backend = openBackend(`memory://${crypto.randomUUID()}`, { root: '/', clock, logger: log, connectionTimeoutMs: 1_000 })
  await backend.connect()
  pool = new GatedPool()
  stopping = false
  conf = loadConfig({ options: { root: process.cwd() }, env: {} })
  insisted = []
  const insist = async (what: string, write: () => Promise<unknown>): Promise<void> => {
    insisted.push(what)
    if (what === 'acknowledge a message') await slowAck
    if (stopping) throw new Error('the worker stops')
    await write()
  }
  slowAck = undefined
  options = {
    queues: ['celery'],
    name: 'worker@test',
    context: {
      pool,
      broker,
      backend,
      conf,
      revoked: new RevokedTasks(clock),
      running,
      clock,
      onRefused: () => {},
      logger: log,
      hostname: 'worker@test',
      codec: new Codec({ conf, root: process.cwd(), clock, types: NO_TYPES }),
      origin: 'gen1@test',
      replyTo: 'replies',
      publish: (publications) => broker.publish(publications),
      insist,
    },
  }
  consumer = new TaskConsumer(options)
  await consumer.start()
})

afterEach(async () => {
  await consumer.pause()
  for (const id of pool.begun) pool.end(id)
  await consumer.close()
  await Promise.all([broker.close(), backend.close()])
})

/** A delivery that is not held any more once its id is in {@link lost}. */
function losable(delivery: Delivery): Delivery {
  const { get } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(delivery), 'isHeld') as { get: () => boolean }
  return Object.defineProperty(delivery, 'isHeld', { get: () => !lost.has(delivery.message.headers['id'] as string) && get.call(delivery) })
}

async function send(id: string, options: { dueInMs?: number; headers?: Record<string, unknown> } = {}): Promise<void> {
  const message = buildTaskMessage({ id, task: 'task', queue: 'celery', origin: 'test', replyTo: 'reply', headers: options.headers })
  await broker.publish([{ queue: 'celery', message, ...(options.dueInMs !== undefined && { dueAtMs: clock.now() + options.dueInMs }) }])
}

/** The stored `result`. */
async function resultOf(id: string): Promise<unknown> {
  const record = await backend.get(id)
  return record === undefined ? undefined : (JSON.parse(record.text) as { result: unknown }).result
}

async function stateOf(id: string): Promise<string | undefined> {
  return (await backend.get(id))?.status
}

describe('a consumer whose pool takes tasks ahead', () => {
  test('gives it none while one that is acknowledged early is on its way, which would have to wait behind it', async () => {
    pool.ahead = 6
    const acknowledging = Promise.withResolvers<void>()
    await consumer.pause()
    await send('early', { headers: { [ACKS_LATE_HEADER]: false } })
    for (const id of ['a', 'b', 'c', 'd']) await send(id)
    slowAck = acknowledging.promise
    const second = new TaskConsumer(options)
    await second.start()
    await expect.poll(() => pool.begun).toEqual(['a'])

    acknowledging.resolve()
    await expect.poll(() => pool.begun).toEqual(['a', 'early'])

    pool.end('early')
    await expect.poll(() => pool.begun).toEqual(['a', 'early', 'b', 'c', 'd'])
    await second.pause()
    for (const id of pool.begun) pool.end(id)
    await second.close()
  })
})

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
    const stored = Promise.withResolvers<void>()
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

  test('counts what failed for no known reason, so that it does not come back for ever', async () => {
    await send('broken')
    for (const times of [1, 2, 3]) {
      await expect.poll(() => pool.begun).toHaveLength(times)
      await expect.poll(async () => (await broker.depth('celery')).parked).toBe(1)
      clock.advance(1_000)
    }

    await expect.poll(() => stateOf('broken')).toBe('FAILURE')
    expect(pool.begun).toHaveLength(3)
    expect(log.lines).toContainEqual(expect.stringContaining('a fault of our own'))
  })

  test('does not begin what is not its own any more', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await send(id)
    await expect.poll(() => pool.begun).toEqual(['a', 'b'])

    lost.add('c')
    pool.end('a')

    await expect.poll(() => pool.begun).toEqual(['a', 'b', 'd'])
  })

  test('does not fail a task that another worker has by now', async () => {
    conf.update({ taskRejectOnWorkerLost: false })
    await send('a')
    await expect.poll(() => pool.begun).toEqual(['a'])
    lost.add('a')

    pool.end('a', { kind: 'lost', detail: 'it died', bystander: false })

    await log.says(/a\] was lost/)
    await expect.poll(async () => (await broker.depth('celery')).dead).toBe(0)
    expect(await stateOf('a')).toBeUndefined()
  })

  test('does not run again what has succeeded before and was only not acknowledged', async () => {
    await send('again', { dueInMs: 5 * HOUR_MS })
    await send('early', { dueInMs: 5 * HOUR_MS, headers: { 'x-celeriac-acks-late': false } })
    for (const taskId of ['again', 'early']) await backend.store({ taskId, status: 'SUCCESS', text: '{}' })

    clock.advance(5 * HOUR_MS)

    await log.says(/again\] is already done/)
    await expect.poll(() => pool.begun).toEqual(['early'])
    pool.end('early')
    await expect.poll(() => broker.depth('celery')).toMatchObject({ ready: 0, parked: 0, unacked: 0, dead: 0 })
  })

  test('tells why a task waits that nobody knows yet', async () => {
    await send('a')
    await expect.poll(() => pool.begun).toEqual(['a'])

    pool.end('a', { kind: 'unknown-task', detail: 'No such task.' })

    await expect.poll(async () => (await broker.depth('celery')).parked).toBe(1)
    expect(await stateOf('a')).toBe('RETRY')
    expect(await resultOf('a')).toMatchObject({ exc_type: 'NotRegistered', exc_text: 'No such task.' })
  })

  test('sends again what was acknowledged and then could not begin', async () => {
    await send('early', { headers: { 'x-celeriac-acks-late': false } })
    await expect.poll(() => pool.begun).toEqual(['early'])

    pool.end('early', NOT_BEGUN)

    await expect.poll(() => pool.begun).toEqual(['early', 'early'])
    expect(await stateOf('early')).toBeUndefined()
    pool.end('early')
    await expect.poll(() => stateOf('early')).toBe('SUCCESS')
  })

  test('writes what is seen in passing once, and the outcome until it is taken', async () => {
    await send('a')
    await expect.poll(() => pool.begun).toEqual(['a'])
    const store = backend.store.bind(backend)
    backend.store = () => Promise.reject(new Error('disk full'))

    running.reportState('a', 'PROGRESS', '1')
    clock.advance(100)
    await turn()
    backend.store = store
    running.reportState('a', 'PROGRESS', '2')
    await expect.poll(() => resultOf('a')).toBe(2)
    pool.end('a')

    await expect.poll(() => stateOf('a')).toBe('SUCCESS')
    expect(insisted.filter((what) => what === 'store a result')).toHaveLength(1)
  })

  test('logs a failure with its traceback', async () => {
    const logged = vi.spyOn(log, 'error')
    await send('a')
    await expect.poll(() => pool.begun).toEqual(['a'])

    pool.end('a', { kind: 'failed', exceptionText: '{}', traceback: 'at tasks.ts:1', summary: 'no' })

    await log.says(/a\] raised no/)
    expect(logged.mock.calls[0]?.[0]).toMatchObject({ id: 'a', traceback: 'at tasks.ts:1' })
  })

  test('does not inflate arguments to show them', async () => {
    const { body, header } = compress('[[7],{},{}]', 'zlib')
    const plain = buildTaskMessage({ id: 'packed', task: 'task', queue: 'celery', origin: 'test', replyTo: 'reply', argsrepr: '(7,)' })
    await broker.publish([{ queue: 'celery', message: { ...plain, body, headers: { ...plain.headers, compression: header } } }])
    await expect.poll(() => pool.begun).toEqual(['packed'])

    pool.end('packed')

    await expect.poll(() => stateOf('packed')).toBe('SUCCESS')
    expect(JSON.parse((await backend.get('packed'))?.text ?? '')).toMatchObject({ args: '(7,)' })
  })
})

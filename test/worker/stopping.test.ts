import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import type { Delivery } from '../../src/broker.ts'
import { loadConfig } from '../../src/config/config.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { Worker } from '../../src/worker/worker.ts'
import { ROOT, type TestApplication, testApplication } from '../support/application.ts'
import { failOnLeftovers, leftovers } from '../support/leaks.ts'
import { turn, within } from '../support/within.ts'
import * as tasks from './fixtures/tasks.ts'

failOnLeftovers()

let application: TestApplication

beforeEach(() => {
  application = testApplication()
})

afterEach(() => application.close())

test('a worker that stops lets running tasks finish and gives back what waits', async () => {
  const { celery, folder } = application
  const { worker } = await application.startWorker()
  const gate = join(folder, 'gate')
  const first = await celery.submit(tasks.waitForFile, gate)
  await running(first.id)
  const second = await celery.submit(tasks.add, 1, 2)

  const stopped = worker.stop({ graceMs: 10_000 })
  tasks.record(gate, 'open')
  await within(stopped, 'the worker to stop')

  expect(await first.state()).toBe('SUCCESS')
  expect(await second.state()).toBe('PENDING')
  expect(await depth()).toMatchObject({ ready: 1, unacked: 0, dead: 0 })
})

test('a worker that stops aborts what runs past the grace and gives it back, uncounted', async () => {
  const { celery, folder } = application
  const first = await application.startWorker()
  const file = join(folder, 'heeds')
  const future = await celery.submit(tasks.heedSignal, file)
  await expect.poll(() => tasks.linesOf(file), { timeout: 10_000 }).toEqual(['began'])

  await within(first.worker.stop({ graceMs: 300 }), 'the worker to stop')

  expect(tasks.linesOf(file)).toEqual(['began', 'aborted: ClosedError'])
  expect(await depth()).toMatchObject({ ready: 1, unacked: 0, dead: 0 })
  expect(await future.running()).toBe(true)
  const broker = await application.broker()
  const delivery = Promise.withResolvers<number>()
  const onDeliveries = ([first]: readonly Delivery[]): void => delivery.resolve(first?.losses ?? -1)
  const consumer = await broker.consume({ queues: ['celery'], name: 'looker', prefetch: 1, onDeliveries })
  expect(await within(delivery.promise, 'the message')).toBe(0)
  await consumer.close()
})

test('a busy loop does not keep a worker from stopping, and is run again by the next one', async () => {
  const { celery } = application
  const { worker } = await application.startWorker()
  const future = await celery.submit(tasks.spin)
  await running(future.id)

  await within(worker.stop({ graceMs: 100 }), 'the worker to stop', 3_000)

  expect(leftovers()).toEqual([])
  await application.startWorker()
  await running(future.id)
  expect(await future.cancel({ timeout: 3 })).toBe(true)
})

test('a second stop resolves with the first, and one without grace hurries it', async () => {
  const { worker } = await application.startWorker()
  const future = await application.celery.submit(tasks.never)
  await running(future.id)

  const patient = worker.stop({ graceMs: 60_000 })
  const hurried = worker.stop({ graceMs: 0 })

  await within(Promise.all([patient, hurried, worker.stopped]), 'the worker to stop')
})

test.each([0, 1, 3, 10, 40])('a worker that is stopped %i turns after it began to start leaves nothing', async (turns) => {
  const worker = newWorker()

  const started = worker.start().catch(() => {})
  for (let each = 0; each < turns; each++) await turn()
  await within(worker.stop({ graceMs: 0 }), 'the worker to stop')
  await within(started, 'the start to end')

  expect(worker.pids()).toEqual([])
  expect(leftovers()).toEqual([])
  expect(await (await application.broker()).consumers()).toEqual([])
})

test('a worker that was never started stops', async () => {
  const worker = newWorker()

  await within(worker.stop(), 'the worker to stop')
  await within(worker.stopped, 'it to say so')
})

test('a worker whose application cannot be loaded says why it does not start', async () => {
  await expect(application.startWorker({ app: './test/worker/fixtures/missing.ts' })).rejects.toThrow(/missing\.ts/)

  expect(leftovers()).toEqual([])
})

/** One that nobody has started. */
function newWorker(): Worker {
  return new Worker({
    name: 'early@test',
    queues: ['celery'],
    concurrency: 2,
    pool: 'prefork',
    conf: loadConfig({ inherited: application.celery.conf.forChildren() }),
    root: ROOT,
    app: undefined,
    logger: silentLogger,
    clock: systemClock,
  })
}

async function depth(): Promise<unknown> {
  return (await application.broker()).depth('celery')
}

/** Resolves when the task runs, as far as its worker can tell. */
async function running(id: string): Promise<void> {
  await expect.poll(() => application.celery.get(id).state(), { timeout: 10_000 }).toBe('STARTED')
}

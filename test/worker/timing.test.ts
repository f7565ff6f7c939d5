import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Future, TaskRevokedError, TimeoutError } from '../../src/index.ts'
import { type TestApplication, testApplication, type TestWorker } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import * as tasks from './fixtures/tasks.ts'

/** How much later than its time a task may run here. */
const LATE_MS = 1_000

failOnLeftovers()

let application: TestApplication

beforeAll(() => {
  application = testApplication()
})

afterAll(() => application.close())

test('a wait without any worker says which queue nothing consumes', async () => {
  const { celery } = application
  const future = await celery.with({ queue: 'forgotten' }).submit(tasks.add, 1, 2)

  const error = await future.result({ timeout: 1 }).catch((each: unknown) => each)

  expect(error).toBeInstanceOf(TimeoutError)
  expect((error as Error).message).toContain('"forgotten"')
  expect((error as Error).message).toMatch(/[Nn]othing consumes/)
})

test('a worker takes higher priorities first, and equal ones in order', async () => {
  const { celery, folder } = application
  const file = join(folder, 'priorities')
  for (const [text, priority] of [['low', 0], ['middle', 5], ['high', 9], ['low 2', 0], ['high 2', 9]] as const) {
    await celery.with({ queue: 'ranked', priority }).submit(tasks.record, file, text)
  }
  const last = await celery.with({ queue: 'ranked' }).submit(tasks.record, file, 'last')

  const { worker } = await application.startWorker({ queues: ['ranked'], conf: { workerPrefetchMultiplier: 1 } })
  await last.result({ timeout: 10 })

  expect(tasks.linesOf(file)).toEqual(['high', 'high 2', 'middle', 'low', 'low 2', 'last'])
  await worker.stop()
})

describe('with a worker', () => {
  let running: TestWorker

  beforeAll(async () => {
    running = await application.startWorker({ concurrency: 2 })
    await application.celery.submit(tasks.add, 1, 2).result()
  })

  test.each([
    ['countdown', (ms: number) => ({ countdown: ms / 1000 })],
    ['eta', (ms: number) => ({ eta: new Date(Date.now() + ms) })],
  ])('a task with %s runs at its time, not before', async (_what, options) => {
    const before = Date.now()

    const future = await application.celery.with(options(500)).submit(tasks.add, 1, 2)
    await future.result({ timeout: 5 })

    const ran = ((await future.dateDone()) as Date).getTime() - before
    expect(ran).toBeGreaterThanOrEqual(495)
    expect(ran).toBeLessThan(500 + LATE_MS)
  })

  test('a task whose time has passed, or whose countdown is negative, runs at once', async () => {
    const { celery } = application

    expect(await celery.with({ eta: new Date(0) }).submit(tasks.add, 1, 2).result({ timeout: 5 })).toBe(3)
    expect(await celery.with({ countdown: -5 }).submit(tasks.add, 1, 2).result({ timeout: 5 })).toBe(3)
  })

  test.each([
    ['a duration', 0.05],
    ['a time', new Date(0)],
  ])('a task that expires after %s is revoked', async (_what, expires) => {
    const { celery, folder } = application
    const file = join(folder, 'expired')
    const gates = await celery.map(tasks.waitForFile, [join(folder, 'gate')], [join(folder, 'gate')])

    const future = await celery.with({ expires }).submit(tasks.record, file, 'ran')
    await untilPast(Date.now() + 60)
    tasks.record(join(folder, 'gate'), 'open')
    await gates.result()

    await expect(future.result({ timeout: 5 })).rejects.toThrow(TaskRevokedError)
    expect(await future.state()).toBe('REVOKED')
    expect(tasks.linesOf(file)).toEqual([])
  })

  test('a task that waits for its time survives the end of every worker', async () => {
    const { celery, folder } = application
    const file = join(folder, 'parked')
    const due = Date.now() + 1_500
    const future: Future<void> = await celery.with({ eta: new Date(due) }).submit(tasks.record, file, 'ran')
    const broker = await application.broker()
    await expect.poll(async () => (await broker.depth('celery')).parked, { timeout: 5_000, interval: 5 }).toBe(1)

    await running.worker.stop()
    await application.startWorker()
    expect(tasks.linesOf(file)).toEqual([])
    await future.result({ timeout: 5 })

    expect(((await future.dateDone()) as Date).getTime()).toBeGreaterThanOrEqual(due - 5)
    expect(tasks.linesOf(file)).toEqual(['ran'])
  })
})

function untilPast(ms: number): Promise<unknown> {
  return expect.poll(() => Date.now()).toBeGreaterThan(ms)
}

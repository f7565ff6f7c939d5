import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { TaskRevokedError } from '../../src/index.ts'
import { type TestApplication, testApplication, type TestWorker } from '../support/application.ts'
import { untilState } from '../support/future-states.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import * as tasks from './fixtures/tasks.ts'

/** How soon a running task that is cancelled must be over. */
const PROMISE_MS = 1_500
/** Waits longer than a second for the end, as other tests may keep the machine busy. */
const PATIENT = { timeout: 10 }

failOnLeftovers()

describe('a prefork worker', () => {
  let application: TestApplication
  let running: TestWorker

  beforeAll(async () => {
    application = testApplication()
    running = await application.startWorker({ concurrency: 2 })
  })

  afterAll(() => application.close())

  test('answers, runs others and ends the task while one is in a busy loop', async () => {
    const { celery } = application
    const spinning = await celery.submit(tasks.spin)
    await untilState(spinning, 'STARTED')

    expect(await celery.status()).toEqual({ [running.name]: 'OK' })
    expect(await celery.submit(tasks.add, 1, 2).result({ timeout: 5 })).toBe(3)

    const before = Date.now()
    expect(await spinning.cancel(PATIENT)).toBe(true)
    expect(Date.now() - before).toBeLessThan(PROMISE_MS)
    expect(await spinning.state()).toBe('REVOKED')
    await expect(spinning.result()).rejects.toBeInstanceOf(TaskRevokedError)
  })

  test('shows a task that runs as STARTED, with its process and node', async () => {
    const future = await application.celery.submit(tasks.never)

    const { info } = await untilState(future, 'STARTED')

    expect(info).toEqual({ pid: expect.any(Number), hostname: running.name })
    expect(running.worker.pids()).toContain((info as { pid: number }).pid)
    expect(await future.running()).toBe(true)
    expect(await future.cancel(PATIENT)).toBe(true)
  })

  test('ends a task that never settles', async () => {
    const file = join(application.folder, 'stays')
    const future = await application.celery.submit(tasks.recordAndStay, file)
    await untilTraces(file, ['began'])

    expect(await future.cancel(PATIENT)).toBe(true)

    await untilTraces(file, ['began', 'aborted'])
    expect(await future.cancelled()).toBe(true)
  })

  test('tells a task through its signal, and keeps the process of one that heeds it', async () => {
    const file = join(application.folder, 'heeds')
    const future = await application.celery.submit(tasks.heedSignal, file)
    await untilTraces(file, ['began'])
    const pids = running.worker.pids()

    expect(await future.cancel(PATIENT)).toBe(true)

    await untilTraces(file, ['began', 'aborted: TaskRevokedError'])
    expect(running.worker.pids()).toEqual(pids)
  })

  test('leaves a running task alone when told not to terminate it', async () => {
    const file = join(application.folder, 'go-on')
    const future = await application.celery.submit(tasks.waitForFile, file)
    await untilState(future, 'STARTED')

    expect(await future.cancel({ terminate: false })).toBe(false)

    tasks.record(file, 'go')
    expect(await future.result({ timeout: 5 })).toBe(file)
  })

  test('cannot cancel a task that has ended', async () => {
    const future = await application.celery.submit(tasks.add, 1, 2)
    await future.result()

    expect(await application.celery.get(future.id).cancel()).toBe(false)
    expect(await future.result()).toBe(3)
  })

  test('never runs a task that was cancelled while it was queued or waited for its time', async () => {
    const { celery, folder } = application
    const file = join(folder, 'never-run')
    const gates = await celery.map(tasks.waitForFile, [join(folder, 'gate')], [join(folder, 'gate')])
    for (const gate of gates) await untilState(gate, 'STARTED')
    const queued = await celery.submit(tasks.record, file, 'queued')
    const parked = await celery.with({ countdown: 0.3 }).submit(tasks.record, file, 'parked')

    expect(await queued.cancel()).toBe(true)
    expect(await parked.cancel()).toBe(true)

    tasks.record(join(folder, 'gate'), 'open')
    await gates.result()
    expect(await running.log.says(new RegExp(`${queued.id}\\] is revoked`))).toMatch(/^info/)
    expect(await running.log.says(new RegExp(`${parked.id}\\] is revoked`))).toMatch(/^info/)
    expect(tasks.linesOf(file)).toEqual([])
    expect(await queued.state()).toBe('REVOKED')
  })

  test('frees its slots when many running tasks are cancelled at once', async () => {
    const pool = await application.celery.map(tasks.never, ...Array.from({ length: 6 }, (): [] => []))
    await untilState(pool.at(0) as never, 'STARTED')

    expect(await pool.cancel(PATIENT)).toBe(true)

    expect(await application.celery.submit(tasks.add, 1, 1).result({ timeout: 5 })).toBe(2)
  })
})

describe('an async worker', () => {
  let application: TestApplication
  let running: TestWorker

  beforeAll(async () => {
    application = testApplication()
    running = await application.startWorker({ pool: 'async', concurrency: 10 })
  })

  afterAll(() => application.close())

  test('lets go of tasks that ignore their signal, and their neighbours go on in the same process', async () => {
    const { celery, folder } = application
    const gate = join(folder, 'gate')
    const neighbour = await celery.submit(tasks.waitForFile, gate)
    const deaf = await celery.map(tasks.recordAndStay, [join(folder, 'deaf')], [join(folder, 'deaf')], [join(folder, 'deaf')])
    for (const future of [neighbour, ...deaf]) await untilState(future, 'STARTED')
    const pids = running.worker.pids()

    expect(await deaf.cancel(PATIENT)).toBe(true)

    expect(await neighbour.state()).toBe('STARTED')
    expect(running.worker.pids()).toEqual(pids)
    tasks.record(gate, 'open')
    expect(await neighbour.result({ timeout: 5 })).toBe(gate)
  })

  test('runs the neighbours of a busy loop again when that is cancelled', async () => {
    const { celery, folder } = application
    const file = join(folder, 'neighbour')
    const neighbour = await celery.submit(tasks.recordAndStay, file)
    await untilTraces(file, ['began'])
    const spinning = await celery.submit(tasks.spin)
    await untilState(spinning, 'STARTED')

    const before = Date.now()
    expect(await spinning.cancel(PATIENT)).toBe(true)
    expect(Date.now() - before).toBeLessThan(PROMISE_MS)

    await running.log.says(/starting another/)
    await untilTraces(file, ['began', 'began'])
    expect(await neighbour.cancel(PATIENT)).toBe(true)
  })
})

test('an exception that one task does not catch is not held against its neighbours, who run again', async () => {
  const application = testApplication({ taskMaxDeliveries: 1 })
  const { celery, folder } = application
  try {
    await application.startWorker({ pool: 'async', concurrency: 2 })
    const file = join(folder, 'neighbour')
    const neighbour = await celery.submit(tasks.recordAndStay, file)
    await untilTraces(file, ['began'])

    const throwing = await celery.submit(tasks.throwLater)
    expect(await throwing.exception({ timeout: 10 })).toBeInstanceOf(RangeError)

    await untilTraces(file, ['began', 'began'])
    expect(await neighbour.cancel(PATIENT)).toBe(true)
  } finally {
    await application.close()
  }
})

test('a solo worker runs tasks in its own process, and lets go of one that is cancelled', async () => {
  const application = testApplication()
  const { celery } = application
  try {
    await application.startWorker({ pool: 'solo' })
    expect(await celery.submit(tasks.processId).result()).toBe(process.pid)
    const staying = await celery.submit(tasks.never)
    await untilState(staying, 'STARTED')

    expect(await staying.cancel(PATIENT)).toBe(true)

    expect(await celery.submit(tasks.add, 1, 2).result({ timeout: 5 })).toBe(3)
  } finally {
    await application.close()
  }
})

test('a task that was cancelled while no worker ran is never run by the next one', async () => {
  const application = testApplication()
  const file = join(application.folder, 'never-run')
  try {
    const future = await application.celery.submit(tasks.record, file, 'ran')
    expect(await future.cancel()).toBe(true)

    const { log } = await application.startWorker()

    await log.says(new RegExp(`${future.id}\\] is revoked`))
    expect(tasks.linesOf(file)).toEqual([])
  } finally {
    await application.close()
  }
})

/** What the tasks of another process have written, once it is just this. */
async function untilTraces(file: string, lines: readonly string[]): Promise<void> {
  await expect.poll(() => tasks.linesOf(file), { timeout: 10_000 }).toEqual(lines)
}

test('a cancelled task never runs, even where it waits in its process behind a busy one', async () => {
  const application = testApplication()
  await application.startWorker({ pool: 'async', concurrency: 1, conf: { workerPrefetchMultiplier: 10 } })
  const { celery } = application
  const file = join(application.folder, 'traces')
  await (await celery.map(tasks.add, ...Array.from({ length: 100 }, (_, index): [number] => [index]))).result({ timeout: 10 })

  const [busy, cancelled, last] = await Promise.all([celery.submit(tasks.spinFor, 400), celery.submit(tasks.record, file, 'cancelled'), celery.submit(tasks.record, file, 'last')])
  expect(await cancelled.cancel(PATIENT)).toBe(true)

  await last.result({ timeout: 10 })
  expect(await busy.state()).toBe('SUCCESS')
  expect(tasks.linesOf(file)).toEqual(['last'])
  await application.close()
})

test('a busy loop is ended, and what waits behind it runs, even where it began in the same breath as others ended', async () => {
  const application = testApplication()
  await application.startWorker({ pool: 'async', concurrency: 1, conf: { workerPrefetchMultiplier: 10 } })
  const { celery } = application
  await (await celery.map(tasks.add, ...Array.from({ length: 100 }, (_, index): [number] => [index]))).result({ timeout: 10 })

  const [quick, spinning, last] = await Promise.all([celery.submit(tasks.add, 1, 2), celery.submit(tasks.spin), celery.submit(tasks.add, 3, 4)])
  expect(await quick.result({ timeout: 5 })).toBe(3)
  expect(await spinning.cancel(PATIENT)).toBe(true)

  expect(await last.result({ timeout: 10 })).toBe(7)
  await application.close()
})

test('a stop fails none of the tasks that are acknowledged before they run and have not begun', async () => {
  const application = testApplication({ taskAcksLate: false })
  const running = await application.startWorker({ pool: 'async', concurrency: 1, conf: { workerPrefetchMultiplier: 10 } })
  const { celery } = application
  await (await celery.map(tasks.add, ...Array.from({ length: 100 }, (_, index): [number] => [index]))).result({ timeout: 10 })
  const busy = await celery.submit(tasks.spinFor, 300)
  const rest = await celery.map(tasks.add, [1], [2], [3], [4])
  await untilState(busy, 'STARTED')

  await running.worker.stop({ graceMs: 10_000 })

  expect(await busy.state()).toBe('SUCCESS')
  await application.startWorker()
  expect(await rest.result({ timeout: 10 })).toEqual([1, 2, 3, 4])
  await application.close()
})

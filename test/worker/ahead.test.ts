import { join } from 'node:path'
import { expect, test } from 'vitest'

import { testApplication } from '../support/application.ts'
import { untilState } from '../support/future-states.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import * as tasks from './fixtures/tasks.ts'

failOnLeftovers()

test('a task that blocks its process does not hold up those that its worker has fetched while tasks were quick', async () => {
  const application = testApplication()
  const { celery, folder } = application
  try {
    const file = join(folder, 'ran')
    await application.startWorker({ concurrency: 2 })
    // Quick enough for the worker to fetch, and hand over, far more than it runs at once.
    await (await celery.map(tasks.add, ...Array.from({ length: 2_000 }, (_, index): [number, number] => [index, 1]))).result({ timeout: 20 })

    const blocking = await celery.submit(tasks.spin)
    const quick = await celery.map(tasks.record, ...Array.from({ length: 200 }, (_, index): [string, string] => [file, String(index)]))
    await untilState(blocking, 'STARTED')
    await quick.result({ timeout: 10 })

    expect(await blocking.state()).toBe('STARTED')
    expect(tasks.linesOf(file).sort()).toEqual(Array.from({ length: 200 }, (_, index) => String(index)).sort())
    expect(await blocking.cancel()).toBe(true)
  } finally {
    await application.close()
  }
})

test('what a worker has fetched while tasks were quick goes to others when all of its slots take long', async () => {
  const application = testApplication()
  const { celery } = application
  try {
    await application.startWorker({ concurrency: 1 })
    await (await celery.map(tasks.add, ...Array.from({ length: 1_000 }, (_, index): [number, number] => [index, 1]))).result({ timeout: 20 })

    const blocking = await celery.submit(tasks.spin)
    const quick = await celery.map(tasks.processId, ...Array.from({ length: 100 }, (): [] => []))
    await untilState(blocking, 'STARTED')
    await application.startWorker({ concurrency: 1 })
    const broker = await application.broker()
    // All but what one worker holds as usual.
    await expect.poll(async () => (await broker.depth('celery')).unacked, { timeout: 10_000 }).toBeLessThanOrEqual(4)

    await blocking.cancel()
    expect((await quick.result({ timeout: 10 })).length).toBe(100)
  } finally {
    await application.close()
  }
})

test('what was given ahead of a task that blocks runs once, though its process has not even read it', async () => {
  const application = testApplication()
  const { celery, folder } = application
  try {
    await application.startWorker({ concurrency: 1 })
    // More than the pipe takes at once.
    const padding = 'x'.repeat(20_000)
    for (let round = 0; round < 3; round++) {
      const file = join(folder, `ran${round}`)
      await (await celery.map(tasks.add, ...Array.from({ length: 200 }, (_, index): [number, number] => [index, 1]))).result({ timeout: 20 })

      await celery.submit(tasks.spinFor, 500)
      const behind = await celery.map(tasks.recordPadded, ...Array.from({ length: 14 }, (_, index): [string, string, string] => [file, String(index), padding]))
      await behind.result({ timeout: 10 })

      expect(tasks.linesOf(file).sort()).toEqual(Array.from({ length: 14 }, (_, index) => String(index)).sort())
    }
  } finally {
    await application.close()
  }
})

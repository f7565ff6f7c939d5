import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { DeadLetter } from '../../src/broker.ts'
import { NotRegistered, WorkerLostError } from '../../src/index.ts'
import { type TestApplication, testApplication, type TestWorker } from '../support/application.ts'
import { untilState } from '../support/future-states.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import * as tasks from './fixtures/tasks.ts'

failOnLeftovers()

let application: TestApplication
let running: TestWorker

beforeAll(async () => {
  application = testApplication({ taskUnknownDelay: 0.1 })
  running = await application.startWorker({ concurrency: 2 })
})

afterAll(() => application.close())

describe('a task whose process dies', () => {
  test('is run again', async () => {
    const file = join(application.folder, 'dies-once')

    const future = await application.celery.submit(tasks.dieThenAnswer, file, 1)

    expect(await future.result({ timeout: 10 })).toBe('alive')
    expect(tasks.linesOf(file)).toEqual(['began', 'began'])
    expect(await running.log.says(new RegExp(`${future.id}\\] was lost: .* SIGKILL`))).toMatch(/^warn/)
  })

  test('fails after the third time, and its message is kept', async () => {
    const file = join(application.folder, 'dies-always')

    const future = await application.celery.submit(tasks.dieThenAnswer, file, 100)

    const error = await future.exception({ timeout: 10 })
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error?.message).toContain('3 times')
    expect(tasks.linesOf(file)).toHaveLength(3)
    expect(await deadLetterOf(future.id)).toMatchObject({ reason: 'lost', detail: expect.stringContaining('SIGKILL') as string })
  })

  test('is not run again when it asks to be acknowledged before it runs', async () => {
    const { celery, folder } = application
    const file = join(folder, 'early')
    const early = celery.task({ name: 'early', acksLate: false }, tasks.dieThenAnswer)

    const future = await early.delay(file, 100)

    expect(await future.exception({ timeout: 10 })).toBeInstanceOf(WorkerLostError)
    expect(tasks.linesOf(file)).toEqual(['began'])
  })

  test('leaves the tasks of other processes alone', async () => {
    const { celery, folder } = application
    const gate = join(folder, 'gate')
    const neighbour = await celery.submit(tasks.waitForFile, gate)
    await untilState(neighbour, 'STARTED')

    await celery.submit(tasks.dieThenAnswer, join(folder, 'dies-beside'), 1).result({ timeout: 10 })

    tasks.record(gate, 'open')
    expect(await neighbour.result({ timeout: 5 })).toBe(gate)
  })
})

describe('a task that ends a process in which others run', () => {
  test.each(['exit', 'die'] as const)('by %s fails after the third time, and none of the others with it', async (how) => {
    const shared = testApplication()
    const { celery } = shared
    const poison = await celery.submit(tasks.endProcess, how)
    const innocents = await celery.map(tasks.endWithProcess, ...Array.from({ length: 12 }, (_, index): [number] => [index % 3]))
    await shared.startWorker({ pool: 'async', concurrency: 4 })

    expect(await poison.exception({ timeout: 20 })).toBeInstanceOf(WorkerLostError)
    expect(await innocents.result({ timeout: 20 })).toEqual(Array.from({ length: 12 }, (_, index) => index % 3))

    await shared.close()
  })
})

describe('a task that no worker knows', () => {
  test('is offered again, then fails and is kept, each said in the log', async () => {
    const future = await application.celery.sendTask('proj.unheard', [1])

    const error = await future.exception({ timeout: 10 })

    expect(error).toBeInstanceOf(NotRegistered)
    expect(running.log.lines.filter((line) => line.includes('proj.unheard') && line.includes('or submit the function itself. It is offered again in 0.1 s'))).toHaveLength(2)
    expect(running.log.lines.filter((line) => line.includes('proj.unheard') && line.includes('goes to the dead-letter queue'))).toHaveLength(1)
    expect(await deadLetterOf(future.id)).toMatchObject({ reason: 'unknown-task', queue: 'celery' })
  })

  test('is not run by one that only ends like it', async () => {
    const { celery } = application
    const own = { 'x-celeriac-acks-late': false }

    const future = await celery.sendTask('add', [1], {}, { headers: own, queue: 'named' })
    await application.startWorker({ queues: ['named'], conf: { include: ['./test/worker/fixtures/project.ts'] } })

    expect(await future.exception({ timeout: 10 })).toBeInstanceOf(NotRegistered)
  })

  test('fails at once when it was acknowledged early', async () => {
    const own = { 'x-celeriac-acks-late': false }

    const future = await application.celery.sendTask('proj.unheard', [], {}, { headers: own })

    expect(await future.exception({ timeout: 10 })).toBeInstanceOf(NotRegistered)
  })
})

async function deadLetterOf(id: string): Promise<DeadLetter | undefined> {
  const broker = await application.broker()
  const find = async (): Promise<DeadLetter | undefined> => (await broker.deadLetters()).find(({ message }) => message?.headers['id'] === id)
  // The result is stored first, so whoever waits for it is a little early.
  await expect.poll(find, { timeout: 5_000 }).toBeDefined()
  return find()
}

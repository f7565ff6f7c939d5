import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { EncodeError, kw, RemoteError } from '../../src/index.ts'
import { type TestApplication, testApplication, type TestWorker } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import byDefault, * as tasks from './fixtures/tasks.ts'

failOnLeftovers()

let application: TestApplication
let running: TestWorker

beforeAll(async () => {
  application = testApplication()
  running = await application.startWorker({ concurrency: 2 })
})

afterAll(() => application.close())

describe('a function that a module exports', () => {
  test('runs in another process', async () => {
    const pid = await application.celery.submit(tasks.processId).result()

    expect(pid).not.toBe(process.pid)
    expect(running.worker.pids()).toContain(pid)
  })

  test('may be a default export or a static method', async () => {
    const { celery } = application

    expect(await celery.submit(byDefault, 'text').result()).toBe('TEXT')
    expect(await celery.submit(tasks.Accounts.close, 7).result()).toBe('closed 7')
  })

  test('takes arguments by position and by name', async () => {
    const { celery } = application

    expect(await celery.submit(tasks.add, 1, 2).result()).toBe(3)
    expect(await celery.submit(tasks.add, 1, kw({ b: 2 })).result()).toBe(3)
    expect(await celery.submit(tasks.add, kw({ a: 1, b: 2 })).result()).toBe(3)
    expect(await celery.submit(tasks.add, 1).result()).toBe(1)
  })

  test('is mapped over lists of arguments, in order, with keywords for every call', async () => {
    const { celery } = application

    const pool = await celery.map(tasks.add, [1, 2], [3, 4], [5, 6])
    const withKeywords = await celery.map(tasks.add, [1], [3], [5], kw({ b: 2 }))

    expect(await pool.result()).toEqual([3, 7, 11])
    expect(await withKeywords.result()).toEqual([3, 5, 7])
  })

  test('takes and gives large values', async () => {
    const text = 'ä€😀'.repeat(200_000)

    expect(await application.celery.submit(tasks.echo, { text }).result()).toEqual({ text })
  })
})

describe('a task that fails', () => {
  test.each([
    ['undefined', tasks.throwUndefined, 'undefined'],
    ['text', tasks.throwText, 'just text'],
    ['a circular object', tasks.throwCircular, 'round'],
    ['what refuses to be looked at', tasks.throwProxy, 'threw'],
    ['what has no class that can be asked for', tasks.throwClassless, 'threw'],
  ])('by throwing %s tells what it threw', async (_what, fn, text) => {
    const error = await (await application.celery.submit(fn)).exception()

    expect(error).toBeInstanceOf(Error)
    expect(error?.message).toContain(text)
  })

  test('with a message of 5 MB keeps the beginning of it', async () => {
    const error = await (await application.celery.submit(tasks.throwLong)).exception()

    expect(error).toBeInstanceOf(RangeError)
    expect(error?.message.length).toBeLessThan(70_000)
  })

  test('has its cause, and the stack of where it was thrown', async () => {
    const future = await application.celery.submit(tasks.throwWithCause)

    const error = await future.exception()

    expect(error).toBeInstanceOf(TypeError)
    expect(error?.cause).toMatchObject({ message: 'inner' })
    expect(await future.traceback()).toContain('fixtures/tasks.ts')
    expect(await future.state()).toBe('FAILURE')
  })

  test.each([
    ['a generator', tasks.returnGenerator],
    ['what holds a promise', tasks.returnPromise],
  ])('because it returns %s says where the value sits', async (_what, fn) => {
    const error = await (await application.celery.submit(fn)).exception()

    expect(error).toSatisfy((each: Error) => each instanceof EncodeError || (each instanceof RemoteError && each.excType === 'EncodeError'))
    expect(error?.message).toContain('result')
  })

  test('where nobody catches it, fails with that error, and its process is replaced', async () => {
    const { celery } = application

    const future = await celery.submit(tasks.throwLater)
    const error = await future.exception({ timeout: 10 })

    expect(error).toBeInstanceOf(RangeError)
    expect(error?.message).toBe('thrown later')
    expect(await celery.submit(tasks.add, 1, 2).result({ timeout: 10 })).toBe(3)
  })

  test('is said in the log, and its worker goes on', async () => {
    const future = await application.celery.submit(tasks.throwText)
    await future.exception()

    expect(await running.log.says(new RegExp(`${future.id}\\] raised .*just text`))).toMatch(/^error/)
    expect(await application.celery.submit(tasks.add, 2, 2).result()).toBe(4)
  })
})

test('nonsense that a task writes into the pipe to its worker is passed over', async () => {
  expect(await application.celery.submit(tasks.writeToPipe).result({ timeout: 10 })).toBe('still here')
})

test('a task that ignores its result leaves none behind', async () => {
  const { celery } = application
  const ignoring = celery.with({ ignoreResult: true })

  const succeeded = await ignoring.submit(tasks.add, 1, 1)
  const failed = await ignoring.submit(tasks.throwText)
  const after = await celery.map(tasks.add, [1, 1], [2, 2], [3, 3], [4, 4])
  await after.result()

  expect(await running.log.says(new RegExp(`${failed.id}\\] raised`))).toBeDefined()
  expect(await succeeded.state()).toBe('PENDING')
  expect(await failed.state()).toBe('PENDING')
})

test('what a worker stored says who ran it, with what, and when', async () => {
  const before = Date.now()
  const future = await application.celery.submit(tasks.add, 1, kw({ b: 2 }))
  await future.result()

  expect(await future.worker()).toBe(running.name)
  expect(await future.args()).toEqual([1])
  expect(await future.kwargs()).toEqual({ b: 2 })
  expect(await future.queue()).toBe('celery')
  expect((await future.dateDone())?.getTime()).toBeGreaterThanOrEqual(before - 1)
})

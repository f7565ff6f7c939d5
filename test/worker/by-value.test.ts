import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { currentTask, kw, RemoteError } from '../../src/index.ts'
import { type TestApplication, testApplication, type TestWorker } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import * as tasks from './fixtures/tasks.ts'

failOnLeftovers()

let application: TestApplication
let running: TestWorker

beforeAll(async () => {
  application = testApplication()
  running = await application.startWorker()
})

afterAll(() => application.close())

describe('a function that no module exports', () => {
  test('runs in another process with copies of what it captures', async () => {
    const { celery } = application
    const seen = new Map([['cat', 2]])
    const weigh = (name: string): number => (seen.get(name) ?? 0) * 10

    const [pid, weight] = await celery.submit((name: string): [number, number] => [process.pid, weigh(name)], 'cat').result()

    expect(running.worker.pids()).toContain(pid)
    expect(weight).toBe(20)
  })

  test('takes what it captures as it is when it is submitted', async () => {
    const { celery } = application
    const list = [1]
    let factor = 2
    const scale = (): number[] => list.map((each) => each * factor)

    const first = celery.submit(scale)
    list.push(2)
    factor = 3
    const second = celery.submit(scale)
    list.length = 0

    expect([await first.result(), await second.result()]).toEqual([[2], [3, 6]])
  })

  test('takes keywords, is mapped, and knows its task', async () => {
    const { celery } = application
    const base = 100

    expect(await celery.submit((x: number, y: number) => base + x - y, 1, kw({ y: 2 })).result()).toBe(99)
    expect(await (await celery.map((x: number) => base + x, [1], [2])).result()).toEqual([101, 102])
    const submitted = celery.submit(() => [base, currentTask()?.id, currentTask()?.args])
    expect(await submitted.result()).toEqual([100, submitted.id, []])
  })

  test('throws with the file and line that it was written in', async () => {
    const { celery } = application
    const limit = 3
    const line = lineOf(new Error('here'))
    const future = await celery.submit(() => {
      if (limit < 5) throw new RangeError(`beyond ${limit}`)
    })
    const error = await future.exception()

    expect(error).toBeInstanceOf(RangeError)
    expect(error?.stack).toContain(`by-value.test.ts:${line + 2}:`)
  })

  test('may be given functions, by value and by reference', async () => {
    const { celery } = application
    const two = 2

    expect(await celery.submit((f: (a: number) => number, x: number) => f(x) * two, (a) => a + two, 1).result()).toBe(6)
    expect(await celery.submit((f: typeof tasks.add) => f(1, two), tasks.add).result()).toBe(3)
  })

  test('may submit others with the application that it captures', async () => {
    const { celery } = application
    const two = 2

    const inner = await celery.submit(async () => (await celery.submit((x: number) => x + two, 40)).id).result()

    expect(await celery.get(inner).result()).toBe(42)
  })

  test('is shown in the store under a name that people recognise', async () => {
    const { celery } = application
    const bonus = 1
    const raise = (): number => bonus

    expect((await celery.submit(raise)).name).toBe('test/worker/by-value.test:raise')
    expect((await celery.submit(() => bonus)).name).toBe('test/worker/by-value.test:anonymous')
  })
})

test('a result keeps what JSON loses, and so does reported progress', async () => {
  const { celery } = application
  const at = new Date(1e12)
  const future = await celery.submit((when: Date) => {
    currentTask()?.updateState({ state: 'LOOKING', meta: new Set([when]) })
    return new Map<string, unknown>([['at', when], ['self', [undefined, -0]]])
  }, at)

  const result = await future.result()

  expect(result).toEqual(new Map<string, unknown>([['at', at], ['self', [undefined, -0]]]))
  expect(await celery.submit(() => void at).result()).toBeUndefined()
})

test('a result that cannot travel is an error that says where it is', async () => {
  const at = 0
  const future = await application.celery.submit(() => ({ waiting: [Promise.resolve(at)] }))

  const error = await future.exception()

  expect(error).toMatchObject({ name: 'EncodeError', path: 'result.waiting[0]' })
})

test('an error of a registered class is one of that class again', async () => {
  const { celery } = application
  class PaymentError extends Error {
    override readonly name = 'PaymentError'
    readonly amount = 12
  }

  const fail = (): Promise<never> => Promise.reject(new PaymentError('too little'))

  const unknown = await (await celery.submit(fail)).exception()
  celery.registerType(PaymentError, { name: 'PaymentError' })
  const known = await (await celery.submit(fail)).exception()

  expect(unknown).toBeInstanceOf(RemoteError)
  expect(known).toBeInstanceOf(PaymentError)
  expect(known).toMatchObject({ message: 'too little', amount: 12 })
})

function lineOf(error: Error): number {
  return Number(/by-value\.test\.ts:(\d+)/.exec(error.stack ?? '')?.[1])
}

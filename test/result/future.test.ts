import { describe, expect, expectTypeOf, test } from 'vitest'
import { RemoteError, TaskRevokedError, TimeoutError } from '../../src/errors.ts'
import { Future } from '../../src/result/future.ts'
import type { State } from '../../src/states.ts'
import { TestSource, wireError } from '../support/result-source.ts'
import { turn, within } from '../support/within.ts'

describe('result', () => {
  test('resolves to the value of a task that ends while it waits', async () => {
    const source = new TestSource()
    const wait = new Future<{ width: number }>(source, 'a').result()
    await turn()

    await source.put('a', 'SUCCESS', { width: 640 })

    expect(await within(wait, 'the result')).toEqual({ width: 640 })
  })

  test('rejects with the error of the task, and with what is known of a class that is not', async () => {
    const source = new TestSource()
    await source.put('a', 'FAILURE', wireError('KeyError', 'x'), { traceback: 'Traceback: line 7' })

    const error = await new Future(source, 'a').result().catch((thrown: unknown) => thrown)

    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({ name: 'KeyError', excType: 'KeyError', excModule: 'builtins', message: 'x' })
  })

  test('rejects with an instance of a class that the application made known', async () => {
    class PaymentError extends Error {}
    const source = new TestSource()
    source.knownErrors = new Map([['PaymentError', PaymentError]])
    await source.put('a', 'FAILURE', wireError('PaymentError', 'declined', 'javascript'))

    await expect(new Future(source, 'a').result()).rejects.toBeInstanceOf(PaymentError)
  })

  test('puts the remote stack into the stack of the error', async () => {
    const source = new TestSource()
    await source.put('a', 'FAILURE', wireError('KeyError', 'x'), { traceback: 'Traceback: line 7' })

    const error = await new Future(source, 'a').exception()

    expect(error?.stack).toContain('Traceback: line 7')
  })

  test('rejects with TaskRevokedError when the task was revoked, with its reason', async () => {
    const source = new TestSource()
    await source.put('a', 'REVOKED', wireError('TaskRevokedError', 'terminated', 'celery.exceptions'))

    const error = await new Future(source, 'a').result().catch((thrown: unknown) => thrown)

    expect(error).toBeInstanceOf(TaskRevokedError)
    expect(error).toMatchObject({ reason: 'terminated' })
  })

  test('says which task is late, for how long, and why, and cancels nothing', async () => {
    const source = new TestSource()
    const wait = new Future(source, '5f3a', 'src/tasks:add').result({ timeout: 1 })
    await turn()

    source.clock.advance(1_000)

    await expect(wait).rejects.toThrow(TimeoutError)
    await expect(wait).rejects.toThrow(
      'Task "src/tasks:add" (5f3a) is still PENDING after 1 s and was not cancelled: nothing consumes queue "celery"; start a worker with "celeriac worker".',
    )
    expect(source.revoked).toEqual([])
  })

  test('still says that it is late when nobody can say why', async () => {
    const source = new TestSource()
    source.explanation = () => Promise.reject(new Error('no broker'))
    const wait = new Future(source, '5f3a').result({ timeout: '500ms' })
    await turn()

    source.clock.advance(500)

    await expect(wait).rejects.toThrow('Task 5f3a is still PENDING after 500ms and was not cancelled: why is not known (Error: no broker)')
  })

  test('does not read again once it has seen the end', async () => {
    const source = new TestSource()
    await source.put('a', 'SUCCESS', [1])
    const future = new Future<number[]>(source, 'a')

    const values = [await future.result(), await future.get(), await future.wait()]

    expect(values).toEqual([[1], [1], [1]])
    expect(values[0]).not.toBe(values[1])
    expect(source.backend.reads).toEqual([1])
  })
})

describe('get', () => {
  test('resolves to the error or the value when it is not to propagate', async () => {
    const source = new TestSource()
    await source.put('good', 'SUCCESS', 3)
    await source.put('bad', 'FAILURE', wireError('ValueError', 'boom'))

    expect(await new Future<number>(source, 'good').get({ propagate: false })).toBe(3)
    expect(await new Future<number>(source, 'bad').get({ propagate: false })).toMatchObject({ message: 'boom' })
    expect(await new Future<number>(source, 'bad').wait({ propagate: false })).toMatchObject({ message: 'boom' })
    await expect(new Future<number>(source, 'bad').get()).rejects.toThrow('boom')
    await expect(new Future<number>(source, 'bad').wait()).rejects.toThrow('boom')
  })
})

describe('exception', () => {
  test('resolves to the error of a failed task and to undefined for one that succeeded', async () => {
    const source = new TestSource()
    await source.put('good', 'SUCCESS', 3)
    await source.put('bad', 'FAILURE', wireError('ValueError', 'boom'))

    expect(await new Future(source, 'good').exception()).toBeUndefined()
    expect(await new Future(source, 'bad').exception()).toMatchObject({ name: 'ValueError', message: 'boom' })
  })

  test('rejects only when its time is over', async () => {
    const wait = new Future(new TestSource(), 'a').exception({ timeout: 0 })

    await expect(wait).rejects.toThrow(TimeoutError)
  })
})

describe('looking at the state', () => {
  test.each<[State, object]>([
    ['PENDING', { running: true, done: false, cancelled: false, successful: false, failed: false }],
    ['RECEIVED', { running: true, done: false, cancelled: false, successful: false, failed: false }],
    ['STARTED', { running: true, done: false, cancelled: false, successful: false, failed: false }],
    ['PROGRESS', { running: true, done: false, cancelled: false, successful: false, failed: false }],
    ['RETRY', { running: true, done: false, cancelled: false, successful: false, failed: false }],
    ['SUCCESS', { running: false, done: true, cancelled: false, successful: true, failed: false }],
    ['FAILURE', { running: false, done: true, cancelled: false, successful: false, failed: true }],
    ['REVOKED', { running: false, done: true, cancelled: true, successful: false, failed: false }],
  ])('tells what %s means', async (state, meaning) => {
    const source = new TestSource()
    if (state !== 'PENDING') await source.put('a', state, wireError('Error', 'x'))
    const future = new Future(source, 'a')

    const { running, done, cancelled, successful, failed } = Future.prototype
    const [isRunning, isDone, isCancelled, isSuccessful, isFailed] = await Promise.all(
      [running, done, cancelled, successful, failed].map((method) => method.call(future)),
    )

    expect({ running: isRunning, done: isDone, cancelled: isCancelled, successful: isSuccessful, failed: isFailed }).toEqual(meaning)
    expect(await future.ready()).toBe(isDone)
    expect(await future.state()).toBe(state)
    expect(await future.status()).toBe(state)
    expect(future.lastState).toBe(state)
  })

  test('lastState reads nothing', async () => {
    const source = new TestSource()
    await source.put('a', 'STARTED')
    const future = new Future(source, 'a')

    expect(future.lastState).toBe('PENDING')
    expect(source.backend.reads).toEqual([])
  })

  test('info is what the task reported, its result, or its error', async () => {
    const source = new TestSource()
    const future = new Future(source, 'a')
    expect(await future.info()).toBeUndefined()

    await source.put('a', 'PROGRESS', { done: 5 })
    expect(await future.info()).toEqual({ done: 5 })

    await source.put('a', 'RETRY', wireError('ValueError', 'again'))
    expect(await future.info()).toMatchObject({ name: 'ValueError', message: 'again' })

    await source.put('a', 'SUCCESS', 3)
    expect(await future.info()).toBe(3)
  })

  test('tells what a worker stored beside the result', async () => {
    const source = new TestSource()
    await source.put('a', 'SUCCESS', 3, {
      traceback: null,
      date_done: '2026-11-20T06:28:56.472313+00:00',
      parent_id: 'p',
      children: [[['c', null], null]],
      name: 'demo.add',
      args: [1, 2],
      kwargs: { y: 1 },
      worker: 'w1@example',
      retries: 2,
      queue: 'celery',
    })
    const future = new Future(source, 'a')

    expect(await future.traceback()).toBeUndefined()
    expect(await future.dateDone()).toEqual(new Date('2026-11-20T06:28:56.472Z'))
    expect((await future.parent())?.id).toBe('p')
    expect((await future.children()).map(({ id }) => id)).toEqual(['c'])
    expect(await future.args()).toEqual([1, 2])
    expect(await future.kwargs()).toEqual({ y: 1 })
    expect(await future.worker()).toBe('w1@example')
    expect(await future.retries()).toBe(2)
    expect(await future.queue()).toBe('celery')
  })

  test('knows nothing of a task of which nothing is stored', async () => {
    const future = new Future(new TestSource(), 'a')
    const { traceback, dateDone, parent, args, kwargs, worker, retries, queue } = Future.prototype

    const all = await Promise.all([traceback, dateDone, parent, args, kwargs, worker, retries, queue].map((method) => method.call(future)))

    expect(new Set(all)).toEqual(new Set([undefined]))
    expect(await future.children()).toEqual([])
  })

  test('throwIfFailed rejects for a task that failed or was cancelled, and waits for none', async () => {
    const source = new TestSource()
    await source.put('good', 'SUCCESS')
    await source.put('bad', 'FAILURE', wireError('ValueError', 'boom'))
    await source.put('gone', 'REVOKED', wireError('TaskRevokedError', 'revoked', 'celery.exceptions'))

    await new Future(source, 'open').throwIfFailed()
    await new Future(source, 'good').throwIfFailed()
    await expect(new Future(source, 'bad').throwIfFailed()).rejects.toThrow('boom')
    await expect(new Future(source, 'gone').throwIfFailed()).rejects.toThrow(TaskRevokedError)
  })
})

test('forget removes the record, and the task is pending again', async () => {
  const source = new TestSource()
  await source.put('a', 'SUCCESS', 3)
  const future = new Future(source, 'a')
  await future.result()

  await future.forget()

  expect(source.backend.records.size).toBe(0)
  expect(await future.state()).toBe('PENDING')
})

describe('addDoneCallback', () => {
  test.each(['SUCCESS', 'FAILURE', 'REVOKED'])('calls once with the very future, and nobody waits, on %s', async (state) => {
    const source = new TestSource()
    const called = Promise.withResolvers<Future<number>>()
    let calls = 0
    const future = new Future<number>(source, 'a')
    const same = future.addDoneCallback((given) => {
      calls++
      called.resolve(given)
    })
    await turn()

    await source.put('a', state, wireError('Error', 'x'))
    await source.put('a', 'SUCCESS', 1)
    await turn()

    expect(same).toBe(future)
    expect(await within(called.promise, 'the callback')).toBe(future)
    expect(calls).toBe(1)
    expect(source.backend.subscriptions).toBe(0)
  })

  test('calls in a later tick when the task has ended before', async () => {
    const source = new TestSource()
    await source.put('a', 'SUCCESS', 3)
    const future = new Future(source, 'a')
    await future.result()
    const called = Promise.withResolvers<void>()
    let calls = 0

    future.addDoneCallback(() => {
      calls++
      called.resolve()
    })

    expect(calls).toBe(0)
    await within(called.promise, 'the callback')
  })

  test('reports what a callback throws or rejects with, and still calls the others', async () => {
    const source = new TestSource()
    const thrown = new Error('thrown')
    const rejected = new Error('rejected')
    const called = Promise.withResolvers<void>()
    await source.put('a', 'SUCCESS', 3)

    new Future(source, 'a')
      .addDoneCallback(() => {
        throw thrown
      })
      .addDoneCallback(() => Promise.reject(rejected))
      .addDoneCallback(() => called.resolve())
    await within(called.promise, 'the last callback')
    await turn()

    expect(source.reported).toEqual([thrown, rejected])
  })

  test('reports that the store cannot be reached', async () => {
    const source = new TestSource()
    const fault = new Error('no store')
    source.connected = () => Promise.reject(fault)

    new Future(source, 'a').addDoneCallback(() => expect.unreachable())
    await turn()

    expect(source.reported).toEqual([fault])
  })
})

test('has every member of AsyncResult by its name here, but is not thenable', () => {
  const future = new Future<number>(new TestSource(), 'a', 'demo.add')
  const members = [
    'addDoneCallback args cancel cancelled children dateDone done exception failed forget get',
    'info kwargs parent progress queue ready result retries revoke running state',
    'status successful throwIfFailed traceback wait worker',
  ]

  for (const member of members.join(' ').split(' ')) expect(future).toHaveProperty(member, expect.any(Function))
  expect(future.name).toBe('demo.add')
  expect('then' in future).toBe(false)
  expectTypeOf<Future<number>>().not.toHaveProperty('then')
  expectTypeOf(future.result).returns.resolves.toBeNumber()
  expectTypeOf<Future<number>>().toExtend<Future<unknown>>()
})

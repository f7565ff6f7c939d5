import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import type { StoredResult } from '../../src/backend.ts'
import { TimeoutError } from '../../src/errors.ts'
import { Future } from '../../src/result/future.ts'
import { Submitted } from '../../src/result/submitted.ts'
import { waitingTable } from '../../src/result/waiting.ts'
import { ObservedBackend, TestSource, wireError } from '../support/result-source.ts'
import { turn, within } from '../support/within.ts'

const MANY = 10_000

/** Everything that a wait could leave behind. */
function leftOf(source: TestSource): object {
  return { entries: waitingTable(source).size, subscriptions: source.backend.subscriptions, timers: source.clock.timers }
}

const NOTHING = { entries: 0, subscriptions: 0, timers: 0 }

describe('a task that is waited for while it is being sent', () => {
  /** A store that tells of what is stored once it knows of a subscription, which takes until `confirm`. */
  function lateSource(): TestSource & { confirm: () => void } {
    const source = new TestSource()
    const { backend } = source
    const confirmed = Promise.withResolvers<void>()
    const expectLate = (id: string, listener: (record: StoredResult) => void): (() => void) => {
      let stop: (() => void) | undefined = () => (stop = undefined)
      void confirmed.promise.then(() => stop && (stop = ObservedBackend.prototype.subscribe.call(backend, id, listener)))
      return () => stop?.()
    }
    return Object.assign(source, { backend: Object.assign(backend, { expect: expectLate }), confirm: confirmed.resolve })
  }

  test('needs no read when its end is pushed', async () => {
    const source = lateSource()
    const submitted = new Submitted(new Future<number>(source, 'a'), turn())
    const result = submitted.result()
    await submitted
    source.confirm()
    await turn()
    await source.put('a', 'SUCCESS', 3)

    expect(await within(result, 'the result')).toBe(3)
    expect(source.backend.reads).toEqual([])
    source.clock.advance(1000)
    await turn()
    expect(source.backend.reads).toEqual([])
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('is looked for a little later, in case it had ended before the store knew', async () => {
    const source = lateSource()
    const submitted = new Submitted(new Future<number>(source, 'a'), turn())
    const result = submitted.result()
    await source.put('a', 'SUCCESS', 3)
    await submitted
    source.confirm()
    await turn()
    expect(source.backend.reads).toEqual([])
    source.clock.advance(50)

    expect(await within(result, 'the result')).toBe(3)
    expect(source.backend.reads).toEqual([1])
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('is looked for at once by one who does not wait', async () => {
    const source = lateSource()
    const submitted = new Submitted(new Future<number>(source, 'a'), turn())
    const result = submitted.result()
    const { id } = await submitted
    await source.put('a', 'SUCCESS', 3)

    expect(await within(new Future<number>(source, id).result({ timeout: 0 }), 'the look')).toBe(3)
    expect(await within(result, 'the result')).toBe(3)
    expect(source.backend.reads).toEqual([1])
  })

  test('is looked for by one who does not wait even while it is being sent', async () => {
    const source = lateSource()
    await source.put('a', 'SUCCESS', 3)

    expect(await new Submitted(new Future<number>(source, 'a'), turn()).result({ timeout: 0 })).toBe(3)
  })

  test('is waited for no more when it was refused', async () => {
    const source = lateSource()
    const submitted = new Submitted(new Future<number>(source, 'a'), Promise.reject(new Error('no broker')))

    await expect(submitted.result()).rejects.toThrow('no broker')
    source.clock.advance(50)
    source.confirm()
    await turn()
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('fails when it cannot be looked for', async () => {
    const source = lateSource()
    source.backend.onRead = () => Promise.reject(new Error('no backend'))
    const submitted = new Submitted(new Future<number>(source, 'a'), turn())
    const result = submitted.result()
    await submitted
    await turn()
    source.clock.advance(50)

    await expect(within(result, 'the result')).rejects.toThrow('no backend')
  })
})

describe('a result stored at an awkward moment', () => {
  test('is seen when it is stored before the wait begins', async () => {
    const source = new TestSource()
    await source.put('a', 'SUCCESS', 3)

    expect(await new Future<number>(source, 'a').result()).toBe(3)
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('is seen when it is stored between subscribing and reading', async () => {
    const source = new TestSource()
    source.backend.onSubscribe = () => void source.put('a', 'SUCCESS', 3)

    expect(await within(new Future<number>(source, 'a').result(), 'the result')).toBe(3)
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('is seen when it is stored while a read that missed it is under way', async () => {
    const source = new TestSource()
    source.backend.onRead = () => source.put('a', 'SUCCESS', 3)

    expect(await within(new Future<number>(source, 'a').result(), 'the result')).toBe(3)
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('is seen when only an earlier state is pushed before the read that has it returns', async () => {
    const source = new TestSource()
    await source.put('a', 'SUCCESS', 3)
    source.backend.onSubscribe = (id) => {
      for (const listener of source.backend.listeners.get(id) ?? []) listener({ taskId: id, status: 'STARTED', text: '{}' })
    }

    expect(await within(new Future<number>(source, 'a').result(), 'the result')).toBe(3)
  })

  test('is not undone by an earlier state that a slow read brings', async () => {
    const source = new TestSource()
    const gate = Promise.withResolvers<void>()
    await source.put('a', 'STARTED')
    const future = new Future<number>(source, 'a')
    const other = future.progress()[Symbol.asyncIterator]()
    source.backend.onRead = () => gate.promise

    const first = other.next()
    await turn()
    await source.put('a', 'PROGRESS', 7)
    gate.resolve()
    await turn()

    expect(await within(first, 'a state')).toEqual({ done: false, value: { state: 'PROGRESS', info: 7 } })
    await source.put('a', 'SUCCESS', 8)
    expect(await within(other.next(), 'the end')).toEqual({ done: true, value: undefined })
  })
})

test('a slow look at the state does not undo the end that a wait has seen', async () => {
  const source = new TestSource()
  const gate = Promise.withResolvers<void>()
  const future = new Future<number>(source, 'a')
  const wait = future.result()
  await turn()
  source.backend.onRead = () => gate.promise
  const look = future.state()
  await turn()

  await source.put('a', 'SUCCESS', 3)
  expect(await within(wait, 'the result')).toBe(3)
  gate.resolve()

  expect(await within(look, 'the state')).toBe('SUCCESS')
})

describe('waiting for many', () => {
  test('takes one entry and one subscription each, no timer, and reads them together', async () => {
    const source = new TestSource()
    const futures = Array.from({ length: MANY }, (_, index) => new Future<number>(source, `t${index}`))

    const results = Promise.all(futures.map((future) => future.result()))
    await turn()
    const during = leftOf(source)
    for (const [index, { id }] of futures.entries()) await source.put(id, 'SUCCESS', index)

    expect(during).toEqual({ entries: MANY, subscriptions: MANY, timers: 0 })
    expect(source.backend.reads).toEqual(Array.from({ length: 20 }, () => 500))
    expect((await within(results, 'all results')).at(-1)).toBe(MANY - 1)
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('leaves nothing behind when all of them run out of time', async () => {
    const source = new TestSource()
    const futures = Array.from({ length: MANY }, (_, index) => new Future<number>(source, `t${index}`))

    const results = Promise.allSettled(futures.map((future) => future.result({ timeout: 1 })))
    await turn()
    const during = source.clock.timers
    for (const id of ['t0', 't1']) await source.put(id, 'SUCCESS')
    const after = source.clock.timers
    source.clock.advance(1_000)

    expect([during, after]).toEqual([MANY, MANY - 2])
    expect((await within(results, 'all waits')).filter(({ status }) => status === 'rejected')).toHaveLength(MANY - 2)
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('shares one entry and one subscription among all who wait for the same task', async () => {
    const source = new TestSource()
    const waits = Array.from({ length: 100 }, () => new Future<number>(source, 'a').result())
    await turn()
    const during = leftOf(source)

    await source.put('a', 'SUCCESS', 3)

    expect(during).toEqual({ entries: 1, subscriptions: 1, timers: 0 })
    expect(new Set(await within(Promise.all(waits), 'all results'))).toEqual(new Set([3]))
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('goes on for the others when one of them gives up', async () => {
    const source = new TestSource()
    const future = new Future<number>(source, 'a')
    const patient = future.result()
    const hasty = future.result({ timeout: '10ms' })
    await turn()

    source.clock.advance(10)
    await expect(hasty).rejects.toThrow(TimeoutError)
    await source.put('a', 'SUCCESS', 3)

    expect(await within(patient, 'the patient one')).toBe(3)
  })
})

describe('a wait that ends early', () => {
  test('removes its abort listener, and rejects with the reason of the signal', async () => {
    const source = new TestSource()
    const controller = new AbortController()
    const reason = new Error('the client went away')
    const wait = new Future(source, 'a').result({ signal: controller.signal, timeout: 60 })
    await turn()
    const during = getEventListeners(controller.signal, 'abort').length

    controller.abort(reason)

    await expect(wait).rejects.toBe(reason)
    expect(during).toBe(1)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('removes its abort listener when the result comes', async () => {
    const source = new TestSource()
    const { signal } = new AbortController()
    const wait = new Future<number>(source, 'a').result({ signal, timeout: 60 })
    await turn()

    await source.put('a', 'SUCCESS', 3)

    expect(await within(wait, 'the result')).toBe(3)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('never begins when its signal was aborted before', async () => {
    const source = new TestSource()
    const reason = new Error('too late')

    await expect(new Future(source, 'a').result({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(source.backend.reads).toEqual([])
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('looks once when its timeout is 0', async () => {
    const source = new TestSource()
    await source.put('done', 'SUCCESS', 3)

    expect(await new Future<number>(source, 'done').result({ timeout: 0 })).toBe(3)
    await expect(new Future(source, 'open').result({ timeout: 0 })).rejects.toThrow(TimeoutError)
    await expect(new Future(source, 'open').result({ timeout: 0 })).rejects.toThrow('after 0 s')
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('leaves the wait of another alone when it looks once at the same task', async () => {
    const source = new TestSource()
    await source.put('a', 'STARTED')
    const controller = new AbortController()
    const other = new Future(source, 'a').result({ signal: controller.signal })
    await turn()

    await expect(new Future(source, 'a').result({ timeout: 0 })).rejects.toThrow(TimeoutError)
    expect(leftOf(source)).toEqual({ entries: 1, subscriptions: 1, timers: 0 })
    controller.abort()

    await expect(other).rejects.toBe(controller.signal.reason)
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('says that a timeout makes no sense', async () => {
    const source = new TestSource()

    await expect(new Future(source, 'a').result({ timeout: -1 })).rejects.toThrow(TypeError)
    expect(leftOf(source)).toEqual(NOTHING)
  })
})

describe('a store that fails', () => {
  test('rejects the wait when it cannot be reached, and the next wait tries again', async () => {
    const source = new TestSource()
    const fault = new Error('no store')
    source.connected = () => Promise.reject(fault)
    await expect(new Future(source, 'a').result({ timeout: 5 })).rejects.toBe(fault)
    expect(leftOf(source)).toEqual(NOTHING)

    source.connected = () => Promise.resolve()
    await source.put('a', 'SUCCESS', 3)

    expect(await new Future<number>(source, 'a').result()).toBe(3)
  })

  test('rejects the waits whose read it refuses, with nothing left behind', async () => {
    const source = new TestSource()
    const fault = new Error('read refused')
    source.backend.onRead = () => Promise.reject(fault)

    await expect(new Future(source, 'a').result()).rejects.toBe(fault)
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('rejects every wait when the application closes', async () => {
    const source = new TestSource()
    const closed = new Error('closed')
    const waits = ['a', 'b'].map((id) => new Future(source, id).exception())
    await turn()

    waitingTable(source).failAll(closed)

    expect(await Promise.allSettled(waits)).toEqual([
      { status: 'rejected', reason: closed },
      { status: 'rejected', reason: closed },
    ])
    expect(leftOf(source)).toEqual(NOTHING)
  })

  test('rejects with the decoding error when the stored record cannot be read', async () => {
    const source = new TestSource()
    await source.backend.store({ taskId: 'a', status: 'SUCCESS', text: 'garbage' })

    await expect(new Future(source, 'a').result()).rejects.toMatchObject({ code: 'ERR_CELERIAC_DECODE' })
  })
})

test('a failure stored later is told to a wait that saw the task being retried', async () => {
  const source = new TestSource()
  const wait = new Future(source, 'a').exception()
  await source.put('a', 'RETRY', wireError('ValueError', 'once'))
  await source.put('a', 'FAILURE', wireError('ValueError', 'twice'))

  expect((await within(wait, 'the failure'))?.message).toBe('twice')
})

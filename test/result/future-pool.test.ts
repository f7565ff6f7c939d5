import { describe, expect, expectTypeOf, test } from 'vitest'
import { PoolNotFoundError, TaskRevokedError, TimeoutError } from '../../src/errors.ts'
import type { FutureLike } from '../../src/result/future-like.ts'
import { FuturePool } from '../../src/result/future-pool.ts'
import { Future } from '../../src/result/future.ts'
import { waitingTable } from '../../src/result/waiting.ts'
import { TestSource, wireError } from '../support/result-source.ts'
import { turn, within } from '../support/within.ts'

/** A pool of tasks with these ids. */
function poolOf(source: TestSource, ...ids: string[]): FuturePool<number> {
  return new FuturePool<number>(source, 'pool', ids.map((id) => new Future<number>(source, id)))
}

describe('as a list', () => {
  test('has a length, places and an order', () => {
    const source = new TestSource()
    const pool = poolOf(source, 'a', 'b', 'c')

    expect(pool.length).toBe(3)
    expect([...pool].map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect([pool.at(0)?.id, pool.at(-1)?.id, pool.at(3)]).toEqual(['a', 'c', undefined])
  })

  test('takes futures and nothing else', () => {
    const source = new TestSource()
    const pool = poolOf(source, 'a')

    expect(pool.add(new Future<number>(source, 'b')).length).toBe(2)
    // @ts-expect-error what is added must be a future
    expect(() => pool.add('b')).toThrow(TypeError)
    // @ts-expect-error what is added must be a future
    expect(() => pool.add({ id: 'b' })).toThrow('A pool holds futures')
    expect(pool.length).toBe(2)
  })

  test('makes an id when it is given none', () => {
    const source = new TestSource()

    expect(new FuturePool(source, undefined, []).id).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('result', () => {
  test('resolves to all results in the order of the tasks', async () => {
    const source = new TestSource()
    const wait = poolOf(source, 'a', 'b', 'c').result()
    await turn()

    for (const [id, value] of [['c', 3], ['a', 1], ['b', 2]] as const) await source.put(id, 'SUCCESS', value)

    expect(await within(wait, 'the results')).toEqual([1, 2, 3])
  })

  test('resolves to nothing at once for no tasks', async () => {
    expect(await poolOf(new TestSource()).result({ timeout: 0 })).toEqual([])
    expect(await poolOf(new TestSource()).settled()).toEqual([])
  })

  test('takes the same task twice', async () => {
    const source = new TestSource()
    await source.put('a', 'SUCCESS', 1)

    expect(await within(poolOf(source, 'a', 'a').result(), 'the results')).toEqual([1, 1])
  })

  test('rejects with the first failure in order, though a later one failed before it', async () => {
    const source = new TestSource()
    let rejected = false
    const wait = poolOf(source, 'a', 'b', 'c').result()
    wait.catch(() => (rejected = true))
    await turn()

    await source.put('c', 'FAILURE', wireError('ValueError', 'third'))
    await turn()
    expect(rejected).toBe(false)
    await source.put('a', 'FAILURE', wireError('ValueError', 'first'))

    await expect(wait).rejects.toThrow('first')
    expect(source.backend.subscriptions).toBe(0)
  })

  test('has one deadline for all, and says how many are late', async () => {
    const source = new TestSource()
    const wait = poolOf(source, 'a', 'b', 'c').result({ timeout: 1 })
    await turn()
    expect(source.clock.timers).toBe(1)

    source.clock.advance(600)
    await source.put('a', 'SUCCESS', 1)
    source.clock.advance(400)

    await expect(wait).rejects.toThrow(TimeoutError)
    await expect(wait).rejects.toThrow('Pool pool still waits for 2 of its 3 tasks after 1 s and was not cancelled: nothing consumes queue "celery"')
    expect({ entries: waitingTable(source).size, timers: source.clock.timers }).toEqual({ entries: 0, timers: 0 })
  })

  test('gives errors in their places when they are not to propagate', async () => {
    const source = new TestSource()
    await source.put('a', 'SUCCESS', 1)
    await source.put('b', 'FAILURE', wireError('ValueError', 'boom'))

    expect(await poolOf(source, 'a', 'b').get({ propagate: false })).toEqual([1, expect.objectContaining({ message: 'boom' })])
    await expect(poolOf(source, 'a', 'b').get()).rejects.toThrow('boom')
    await expect(poolOf(source, 'a', 'b').join()).rejects.toThrow('boom')
    await expect(poolOf(source, 'a', 'b').wait()).rejects.toThrow('boom')
  })
})

test('exception, firstException and settled say how each ended and never reject with it', async () => {
  const source = new TestSource()
  await source.put('a', 'SUCCESS', 1)
  await source.put('b', 'FAILURE', wireError('ValueError', 'boom'))
  await source.put('c', 'SUCCESS', 3)
  const pool = poolOf(source, 'a', 'b', 'c')
  const boom = expect.objectContaining({ message: 'boom' })

  expect(await pool.exception()).toEqual([undefined, boom, undefined])
  expect(await pool.firstException()).toEqual(boom)
  expect(await poolOf(source, 'a', 'c').firstException()).toBeUndefined()
  expect(await pool.settled()).toEqual([
    { status: 'fulfilled', value: 1 },
    { status: 'rejected', reason: boom },
    { status: 'fulfilled', value: 3 },
  ])
})

describe('looking at the states', () => {
  test('runs while any does and is done when all are', async () => {
    const source = new TestSource()
    const pool = poolOf(source, 'a', 'b')
    await source.put('a', 'SUCCESS', 1)
    await source.put('b', 'STARTED')

    expect(await Promise.all([pool.running(), pool.waiting(), pool.done(), pool.ready(), pool.successful()])).toEqual([true, true, false, false, false])
    expect([await pool.state(), await pool.status(), pool.lastState, await pool.completedCount()]).toEqual(['STARTED', 'STARTED', 'STARTED', 1])

    await source.put('b', 'SUCCESS', 2)
    expect(await Promise.all([pool.running(), pool.waiting(), pool.done(), pool.ready(), pool.successful()])).toEqual([false, false, true, true, true])
    expect([await pool.state(), await pool.failed(), await pool.cancelled(), await pool.completedCount()]).toEqual(['SUCCESS', false, false, 2])
    expect(await pool.info()).toEqual([1, 2])
  })

  test('is cancelled or failed when any is', async () => {
    const source = new TestSource()
    const pool = poolOf(source, 'a', 'b', 'c')
    await source.put('a', 'FAILURE', wireError('ValueError', 'boom'))
    await source.put('b', 'REVOKED', wireError('TaskRevokedError', 'revoked', 'celery.exceptions'))

    expect([await pool.cancelled(), await pool.failed(), await pool.done(), await pool.state()]).toEqual([true, true, false, 'PENDING'])
    await expect(pool.throwIfFailed()).rejects.toThrow('boom')
  })

  test('reads all in one go, and those that have ended never again', async () => {
    const source = new TestSource()
    const pool = poolOf(source, 'a', 'b', 'c')
    await source.put('a', 'SUCCESS', 1)

    await pool.state()
    await pool.state()

    expect(source.backend.reads).toEqual([3, 2])
  })
})

describe('cancel', () => {
  test('cancels all, and is true when all are', async () => {
    const source = new TestSource()
    const pool = poolOf(source, 'a', 'b')

    expect(await pool.cancel()).toBe(true)
    expect(source.revoked.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(await pool.exception()).toEqual([expect.any(TaskRevokedError), expect.any(TaskRevokedError)])
  })

  test('is false when one had ended, and still cancels the others', async () => {
    const source = new TestSource()
    const pool = poolOf(source, 'a', 'b')
    await source.put('a', 'SUCCESS', 1)

    expect(await pool.cancel()).toBe(false)
    expect(await pool.at(1)?.cancelled()).toBe(true)
  })
})

test('revoke and forget reach every task', async () => {
  const source = new TestSource()
  await source.put('a', 'SUCCESS', 1)
  const pool = poolOf(source, 'a', 'b')

  await pool.revoke({ terminate: true })
  await pool.forget()

  expect(source.revoked.map(({ id }) => id)).toEqual(['a', 'b'])
  expect(source.backend.records.size).toBe(0)
})

test('addDoneCallback calls once with the very pool when all have ended', async () => {
  const source = new TestSource()
  const called = Promise.withResolvers<unknown>()
  const thrown = new Error('thrown')
  const pool = poolOf(source, 'a', 'b')
  pool.addDoneCallback((given) => {
    called.resolve(given)
    throw thrown
  })
  await turn()

  await source.put('b', 'FAILURE', wireError('ValueError', 'boom'))
  await source.put('a', 'SUCCESS', 1)

  expect(await within(called.promise, 'the callback')).toBe(pool)
  await turn()
  expect(source.reported).toEqual([thrown])
})

describe('save', () => {
  test('lets any process get the pool by its id', async () => {
    const source = new TestSource()
    await poolOf(source, 'a', 'b').save()
    await source.put('a', 'SUCCESS', 1)
    await source.put('b', 'SUCCESS', 2)

    const restored = new FuturePool<number>(source, 'pool')

    expect(() => restored.length).toThrow('await pool.load() first')
    expect(restored.lastState).toBe('PENDING')
    expect(await restored.result()).toEqual([1, 2])
    expect([...restored].map(({ id }) => id)).toEqual(['a', 'b'])
  })

  test("stores Celery's group meta", async () => {
    const source = new TestSource()

    await poolOf(source, 'a', 'b').save()

    expect(JSON.parse(source.backend.groups.get('pool') ?? '')).toEqual({
      result: [
        ['pool', null],
        [
          [['a', null], null],
          [['b', null], null],
        ],
      ],
    })
  })

  test('is undone by delete, and then nobody finds the pool', async () => {
    const source = new TestSource()
    const pool = await poolOf(source, 'a').save()

    await pool.delete()

    await expect(new FuturePool(source, 'pool').load()).rejects.toThrow(PoolNotFoundError)
    await expect(new FuturePool(source, 'pool').state()).rejects.toMatchObject({ code: 'ERR_CELERIAC_POOL_NOT_FOUND', poolId: 'pool' })
    await expect(new FuturePool(source, 'pool').asCompleted().next()).rejects.toThrow('No pool is saved under pool')
  })
})

test('a pool and a future are used alike', () => {
  expectTypeOf<FuturePool<number>>().toExtend<FutureLike<number[]>>()
  expectTypeOf<Future<number>>().toExtend<FutureLike<number>>()
  expectTypeOf<FuturePool<number>['result']>().returns.resolves.toEqualTypeOf<number[]>()
  expectTypeOf<FuturePool<number>>().not.toHaveProperty('then')
  expect('then' in poolOf(new TestSource())).toBe(false)
})

import { describe, expect, expectTypeOf, test } from 'vitest'
import { Future } from '../../src/result/future.ts'
import { Submitted } from '../../src/result/submitted.ts'
import { TestSource } from '../support/result-source.ts'
import { turn } from '../support/within.ts'

test('has its id at once and resolves to the very future when the broker has accepted', async () => {
  const accepted = Promise.withResolvers<void>()
  const future = new Future<number>(new TestSource(), 'a')
  const submitted = new Submitted(future, accepted.promise)
  let settled = false
  void submitted.then(() => (settled = true))

  await turn()
  expect([submitted.id, settled]).toEqual(['a', false])
  accepted.resolve()

  expect(await submitted).toBe(future)
})

test('result waits for the broker and then for the task', async () => {
  const source = new TestSource()
  await source.put('a', 'SUCCESS', 3)

  const result = new Submitted(new Future<number>(source, 'a'), Promise.resolve()).result({ timeout: 1 })

  expectTypeOf(result).resolves.toBeNumber()
  expect(await result).toBe(3)
})

describe('a refusal', () => {
  test('is never an unhandled rejection by itself', async () => {
    const unhandled: unknown[] = []
    const listen = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', listen)

    void new Submitted(new Future(new TestSource(), 'a'), Promise.reject(new Error('refused')))
    await turn()
    await turn()
    process.off('unhandledRejection', listen)

    expect(unhandled).toEqual([])
  })

  test('rejects whoever waits, before or after it', async () => {
    const refused = new Error('refused')
    const submitted = new Submitted(new Future(new TestSource(), 'a'), Promise.reject(refused))

    await expect(submitted).rejects.toBe(refused)
    await turn()
    await expect(submitted).rejects.toBe(refused)
    await expect(submitted.result()).rejects.toBe(refused)
  })
})

test('is a promise, and what is made of it is a plain one', async () => {
  const submitted = new Submitted(new Future<number>(new TestSource(), 'a'), Promise.resolve())

  const made = [submitted.then(), submitted.catch(() => {}), submitted.finally(() => {})]

  expect(submitted).toBeInstanceOf(Submitted)
  expect(Promise.resolve(submitted)).toBe(submitted)
  expect(made.map((promise) => promise.constructor)).toEqual([Promise, Promise, Promise])
  expect((await Promise.all([submitted, submitted])).map(({ id }) => id)).toEqual(['a', 'a'])
})

test('costs less than two microseconds to make, with its future', async () => {
  const source = new TestSource()
  const accepted = Promise.resolve()
  const made: Submitted<number>[] = []

  const rounds: number[] = []
  for (let round = 0; round < 10; round++) {
    const begin = performance.now()
    for (let count = 0; count < 10_000; count++) made.push(new Submitted(new Future<number>(source, 'id', 'name', 'celery'), accepted))
    rounds.push((performance.now() - begin) / 10)
    await Promise.all(made.splice(0))
  }

  expect(Math.min(...rounds), 'µs each, the best round').toBeLessThan(2)
})

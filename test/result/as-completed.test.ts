import { expect, test } from 'vitest'
import { TimeoutError } from '../../src/errors.ts'
import { FuturePool } from '../../src/result/future-pool.ts'
import { Future } from '../../src/result/future.ts'
import { waitingTable } from '../../src/result/waiting.ts'
import { TestSource, wireError } from '../support/result-source.ts'
import { turn, within } from '../support/within.ts'

const MANY = 10_000

function poolOf(source: TestSource, ...ids: string[]): FuturePool<number> {
  return new FuturePool<number>(source, 'pool', ids.map((id) => new Future<number>(source, id)))
}

test('gives the futures in the order in which their tasks end, failed ones too', async () => {
  const source = new TestSource()
  await source.put('b', 'SUCCESS', 2)
  const seen: string[] = []
  const loop = async (): Promise<void> => {
    for await (const future of poolOf(source, 'a', 'b', 'c').asCompleted()) {
      seen.push(future.id)
      if (future.id === 'b') await source.put('c', 'FAILURE', wireError('ValueError', 'boom'))
      if (future.id === 'c') await source.put('a', 'SUCCESS', 1)
    }
  }

  await within(loop(), 'all tasks')

  expect(seen).toEqual(['b', 'c', 'a'])
  expect(source.backend.subscriptions).toBe(0)
})

test('reads ten thousand tasks in few goes, and their results not again', async () => {
  const source = new TestSource()
  const ids = Array.from({ length: MANY }, (_, index) => `t${index}`)
  for (const [index, id] of ids.entries()) await source.put(id, 'SUCCESS', index)
  let sum = 0
  const loop = async (): Promise<void> => {
    for await (const future of poolOf(source, ...ids).asCompleted()) sum += await future.result()
  }

  await within(loop(), 'all tasks')

  expect(sum).toBe((MANY * (MANY - 1)) / 2)
  expect(source.backend.reads).toHaveLength(20)
  expect(source.backend.subscriptions).toBe(0)
})

test('takes each of ten thousand tasks as it ends, with one timer in all', async () => {
  const source = new TestSource()
  const ids = Array.from({ length: MANY }, (_, index) => `t${index}`)
  const iterator = poolOf(source, ...ids).asCompleted({ timeout: 60 })
  const first = iterator.next()
  await turn()
  expect({ entries: waitingTable(source).size, timers: source.clock.timers }).toEqual({ entries: MANY, timers: 1 })

  for (const id of ids.toReversed()) await source.put(id, 'SUCCESS')
  const seen = [(await within(first, 'the first task')).value?.id]
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) seen.push(next.value.id)

  expect(seen).toEqual(ids.toReversed())
  expect({ entries: waitingTable(source).size, timers: source.clock.timers }).toEqual({ entries: 0, timers: 0 })
})

test('gives nothing for no tasks', async () => {
  expect(await poolOf(new TestSource()).asCompleted().next()).toEqual({ done: true, value: undefined })
})

test('waits for nothing before the first next, and for nothing after a break', async () => {
  const source = new TestSource()
  await source.put('a', 'SUCCESS', 1)
  const iterable = poolOf(source, 'a', 'b').asCompleted()
  await turn()
  expect(source.backend.reads).toEqual([])

  for await (const future of iterable) {
    expect(future.id).toBe('a')
    break
  }

  expect({ entries: waitingTable(source).size, subscriptions: source.backend.subscriptions }).toEqual({ entries: 0, subscriptions: 0 })
  expect(await iterable.next()).toEqual({ done: true, value: undefined })
})

test('waits for nothing when the consumer leaves before the members are known', async () => {
  const source = new TestSource()
  const gate = Promise.withResolvers<string>()
  source.backend.getGroup = () => gate.promise
  const iterator = new FuturePool(source, 'pool').asCompleted()
  const next = iterator.next()
  await turn()

  await iterator.return?.()
  gate.resolve(JSON.stringify({ result: [['pool', null], [[['a', null], null]]] }))
  await turn()

  expect(await within(next, 'the open next')).toEqual({ done: true, value: undefined })
  expect({ entries: waitingTable(source).size, subscriptions: source.backend.subscriptions }).toEqual({ entries: 0, subscriptions: 0 })
})

test('rejects when the one deadline of all is over', async () => {
  const source = new TestSource()
  const iterator = poolOf(source, 'a', 'b').asCompleted({ timeout: 1 })
  await source.put('a', 'SUCCESS', 1)
  expect((await iterator.next()).value?.id).toBe('a')
  const second = iterator.next()

  source.clock.advance(1_000)

  await expect(second).rejects.toThrow(TimeoutError)
  await expect(second).rejects.toThrow('1 of its 2 tasks')
  expect(await iterator.next()).toEqual({ done: true, value: undefined })
})

import { expect, test } from 'vitest'
import { TimeoutError } from '../../src/errors.ts'
import type { Progress } from '../../src/result/future-like.ts'
import { Future } from '../../src/result/future.ts'
import { waitingTable } from '../../src/result/waiting.ts'
import { TestSource } from '../support/result-source.ts'
import { turn, within } from '../support/within.ts'

test('gives the current state, then each later one, and ends when the task does', async () => {
  const source = new TestSource()
  await source.put('a', 'STARTED', { pid: 1 })
  const seen: Progress[] = []
  const loop = async (): Promise<void> => {
    for await (const progress of new Future(source, 'a').progress()) {
      seen.push(progress)
      await source.put('a', seen.length < 3 ? 'PROGRESS' : 'SUCCESS', seen.length)
    }
  }

  await within(loop(), 'the end of the task')

  expect(seen).toEqual([
    { state: 'STARTED', info: { pid: 1 } },
    { state: 'PROGRESS', info: 1 },
    { state: 'PROGRESS', info: 2 },
  ])
  expect(source.backend.subscriptions).toBe(0)
})

test('gives a slow consumer the latest state, also when the task has ended by then', async () => {
  const source = new TestSource()
  const iterator = new Future(source, 'a').progress()
  const first = iterator.next()
  await turn()

  for (const step of [1, 2, 3, 4]) await source.put('a', 'PROGRESS', step)
  await source.put('a', 'SUCCESS')

  expect(await within(first, 'a state')).toEqual({ done: false, value: { state: 'PROGRESS', info: 1 } })
  expect(await iterator.next()).toEqual({ done: false, value: { state: 'PROGRESS', info: 4 } })
  expect(await iterator.next()).toEqual({ done: true, value: undefined })
})

test('gives nothing for a task that has ended', async () => {
  const source = new TestSource()
  await source.put('a', 'SUCCESS', 3)

  expect(await within(new Future(source, 'a').progress().next(), 'the end')).toEqual({ done: true, value: undefined })
})

test('leaves nothing behind when the consumer breaks', async () => {
  const source = new TestSource()
  await source.put('a', 'STARTED')

  for await (const progress of new Future(source, 'a').progress({ timeout: 60 })) {
    expect(progress.state).toBe('STARTED')
    expect(waitingTable(source).size).toBe(1)
    break
  }

  expect({ entries: waitingTable(source).size, subscriptions: source.backend.subscriptions, timers: source.clock.timers }).toEqual({
    entries: 0,
    subscriptions: 0,
    timers: 0,
  })
})

test('leaves nothing behind when the consumer breaks while it waits for the next state', async () => {
  const source = new TestSource()
  const iterator = new Future(source, 'a').progress()
  const next = iterator.next()
  await turn()
  expect(source.backend.subscriptions).toBe(1)

  await iterator.return?.()

  expect(await within(next, 'the open next')).toEqual({ done: true, value: undefined })
  expect(source.backend.subscriptions).toBe(0)
})

test('rejects when its time is over or its signal aborts', async () => {
  const source = new TestSource()
  const reason = new Error('the client went away')
  const controller = new AbortController()
  const late = new Future(source, 'a').progress({ timeout: 1 }).next()
  const aborted = new Future(source, 'a').progress({ signal: controller.signal }).next()
  await turn()

  source.clock.advance(1_000)
  controller.abort(reason)

  await expect(late).rejects.toThrow(TimeoutError)
  await expect(aborted).rejects.toBe(reason)
  await expect(new Future(source, 'a').progress({ signal: controller.signal }).next()).rejects.toBe(reason)
})

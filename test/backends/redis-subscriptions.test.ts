import { afterEach, expect, test, vi } from 'vitest'
import type { StoredResult } from '../../src/backend.ts'
import { ResultKeys } from '../../src/backends/redis/keys.ts'
import { JSON_FORM } from '../../src/backends/redis/result-form.ts'
import { ResultSubscriptions } from '../../src/backends/redis/subscriptions.ts'
import { OperationalError } from '../../src/errors.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import { newTaskId, PROCESS_MARK } from '../../src/protocol/task-id.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { turn } from '../support/within.ts'
import { meta } from './redis-fixture.ts'

afterEach(() => void vi.useRealTimers())

test('does not let a read that was pushed past put an older record after a newer one', async () => {
  const { subscriptions, heard, push, reads } = held()
  subscriptions.subscribe('a', ({ status }) => heard.push(status))
  await turn()

  push('PROGRESS')
  reads[0]?.resolve([record('STARTED')])
  await turn()
  push('SUCCESS')

  expect(heard).toEqual(['PROGRESS', 'SUCCESS'])
})

test('tells what a read after a reconnection finds, when an earlier one that found nothing comes back during it', async () => {
  const { subscriptions, heard, reconnect, reads } = held()
  subscriptions.subscribe('a', ({ status }) => heard.push(status))
  await turn()
  reconnect()
  await turn()

  reads[0]?.resolve([])
  await turn()
  reads[1]?.resolve([record('SUCCESS')])
  await turn()

  expect(heard).toEqual(['SUCCESS'])
})

test('reads again where a read failed, until it has', async () => {
  const { subscriptions, heard, reads, clock } = held()
  subscriptions.subscribe('a', ({ status }) => heard.push(status))
  const coming = subscriptions.comingRead('a')?.catch((error: unknown) => error)
  await turn()

  reads[0]?.reject(new OperationalError('lost'))
  expect(await coming).toBeInstanceOf(OperationalError)
  clock.advance(1000)
  await turn()
  reads[1]?.resolve([record('SUCCESS')])
  await turn()

  expect(heard).toEqual(['SUCCESS'])
})

test('hears of a task that is expected without a read, and reads it when somebody subscribes after all', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const { subscriptions, heard, push, reads } = held()
  const end = subscriptions.expect('a', ({ status }) => heard.push(status))
  await turn()
  await turn()
  push('STARTED')
  const readsBefore = reads.length
  subscriptions.subscribe('a', () => {})
  end()
  await turn()

  expect(heard).toEqual(['STARTED'])
  expect([readsBefore, reads.length]).toEqual([0, 1])
})

test('reads at once what was expected when the server confirms late', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const confirmed = Promise.withResolvers<void>()
  const { subscriptions, reads } = held(confirmed.promise)
  subscriptions.expect('a', () => {})
  await turn()
  vi.advanceTimersByTime(1)
  confirmed.resolve()
  await turn()
  await turn()

  expect(reads.length).toBe(1)
})

test('subscribes to nothing that is expected no more', async () => {
  const { subscriptions, subscribed } = held()
  subscriptions.expect('a', () => {})()
  await turn()
  await turn()

  expect(subscribed).toEqual([])
})

test('keeps the process alive while there is a subscription', async () => {
  const { subscriptions, holds } = held()

  const ends = ['a', 'b', 'a'].map((id) => subscriptions.subscribe(id, () => {}))
  for (const end of ends) end()
  subscriptions.subscribe('c', () => {})
  subscriptions.close()

  expect(holds).toEqual(['ref', 'unref', 'ref', 'unref'])
})

const own = (): string => newTaskId(Date.now())

test('hears of its own tasks by one subscription, once that stands', async () => {
  const { subscriptions, subscribed, patterns, heard, pushOwn } = held()
  const second = own()
  subscriptions.expect(own(), () => {})
  await turn()
  await turn()

  subscriptions.expect(second, ({ taskId, status }) => heard.push(`${taskId} ${status}`))
  subscriptions.expect('of-another', () => {})
  await turn()
  pushOwn(second, 'SUCCESS')

  expect(patterns).toEqual([`celery-task-meta-*${PROCESS_MARK}`])
  expect(subscribed).toEqual(['celery-task-meta-of-another'])
  expect(heard).toEqual([`${second} SUCCESS`])
})

test('reads what may have been stored before, and after a reconnection, also of its own tasks', async () => {
  const { subscriptions, subscribed, heard, reads, reconnect } = held()
  subscriptions.expect(own(), () => {})
  await turn()
  const id = own()

  subscriptions.subscribe(id, ({ status }) => heard.push(status))
  await turn()
  reads[0]?.resolve([])
  await turn()
  reconnect()
  await turn()
  reads[1]?.resolve([{ ...record('SUCCESS'), taskId: id }])
  await turn()

  expect(subscribed).toEqual([])
  expect(heard).toEqual(['SUCCESS'])
})

test('gives each task a channel of its own where most results are told in vain, for a while, and misses none', async () => {
  const { subscriptions, subscribed, patterns, heard, reads, pushOwn, clock } = held()
  subscriptions.expect(own(), () => {})
  await turn()
  const id = own()
  subscriptions.expect(id, ({ status }) => heard.push(status))
  await turn()

  for (let index = 0; index <= 100; index += 1) pushOwn(own(), 'SUCCESS')
  await turn()
  reads[0]?.resolve([{ ...record('SUCCESS'), taskId: id }])
  await turn()

  expect(heard).toEqual(['SUCCESS'])
  expect(patterns).toEqual([])
  expect(subscribed).toContain(`celery-task-meta-${id}`)

  subscriptions.expect(own(), () => {})
  await turn()
  expect(patterns).toEqual([])
  clock.advance(10_000)
  subscriptions.expect(own(), () => {})
  await turn()
  expect(patterns.length).toBe(1)
})

test('goes on while as many results are waited for as are told in vain', async () => {
  const { subscriptions, patterns, pushOwn } = held()
  subscriptions.expect(own(), () => {})
  await turn()

  for (let index = 0; index < 500; index += 1) {
    const id = own()
    const end = subscriptions.expect(id, () => {})
    pushOwn(id, 'SUCCESS')
    end()
    pushOwn(own(), 'SUCCESS')
  }

  expect(patterns.length).toBe(1)
})

/** Subscriptions at a server that confirms at once, or after `confirmed`; reads wait until the test answers them. */
function held(confirmed?: Promise<void>): {
  subscriptions: ResultSubscriptions
  subscribed: string[]
  patterns: string[]
  heard: string[]
  holds: string[]
  reads: PromiseWithResolvers<StoredResult[]>[]
  push: (status: string) => void
  pushOwn: (id: string, status: string) => void
  reconnect: () => void
  clock: ManualClock
} {
  const reads: PromiseWithResolvers<StoredResult[]>[] = []
  const holds: string[] = []
  const subscribed: string[] = []
  const clock = new ManualClock()
  const patterns: string[] = []
  let hear = (_text: string): void => {}
  let hearOwn = (_text: string, _channel: string): void => {}
  let reconnect = (): void => {}
  const subscriptions = new ResultSubscriptions({
    form: JSON_FORM,
    subscriber: {
      async subscribe(channel, listener) {
        subscribed.push(channel)
        hear = listener
        await confirmed
        return () => {}
      },
      subscribePattern(pattern, listener) {
        patterns.push(pattern)
        hearOwn = (text, channel) => listener.hear(text, channel)
        return Promise.resolve(() => void patterns.pop())
      },
      onBack(listener) {
        reconnect = listener
        return () => {}
      },
      ref: () => void holds.push('ref'),
      unref: () => void holds.push('unref'),
    },
    keys: new ResultKeys(),
    clock,
    logger: silentLogger,
    read: () => {
      const read = Promise.withResolvers<StoredResult[]>()
      reads.push(read)
      return read.promise
    },
  })
  return { subscriptions, subscribed, patterns, heard: [], holds, reads, pushOwn: (id, status) => hearOwn(meta(id, status), `celery-task-meta-${id}`), push: (status) => hear(meta('a', status)), reconnect: () => reconnect(), clock }
}

function record(status: string): StoredResult {
  return { taskId: 'a', status, text: meta('a', status) }
}

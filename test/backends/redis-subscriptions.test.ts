import { afterEach, expect, test, vi } from 'vitest'
import type { StoredResult } from '../../src/backend.ts'
import { ResultKeys } from '../../src/backends/redis/keys.ts'
import { JSON_FORM } from '../../src/backends/redis/result-form.ts'
import { ResultSubscriptions } from '../../src/backends/redis/subscriptions.ts'
import { OperationalError } from '../../src/errors.ts'
import { silentLogger } from '../../src/internal/logger.ts'
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

/** Subscriptions at a server that confirms at once, or after `confirmed`; reads wait until the test answers them. */
function held(confirmed?: Promise<void>): {
  subscriptions: ResultSubscriptions
  subscribed: string[]
  heard: string[]
  holds: string[]
  reads: PromiseWithResolvers<StoredResult[]>[]
  push: (status: string) => void
  reconnect: () => void
  clock: ManualClock
} {
  const reads: PromiseWithResolvers<StoredResult[]>[] = []
  const holds: string[] = []
  const subscribed: string[] = []
  const clock = new ManualClock()
  let hear = (_text: string): void => {}
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
  return { subscriptions, subscribed, heard: [], holds, reads, push: (status) => hear(meta('a', status)), reconnect: () => reconnect(), clock }
}

function record(status: string): StoredResult {
  return { taskId: 'a', status, text: meta('a', status) }
}

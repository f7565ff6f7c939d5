import { expect, test } from 'vitest'

import { insist } from '../../src/worker/insist.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { RecordedLog } from '../support/recorded-log.ts'
import { turn, within } from '../support/within.ts'

test('a write is tried again until it succeeds; its failure and its return are each said once', async () => {
  const clock = new ManualClock()
  const log = new RecordedLog()
  let tries = 0
  const write = async (): Promise<void> => {
    tries += 1
    if (tries <= 5) throw new Error('disk full')
  }

  const done = insist('store a result', write, { clock, logger: log, stopping: new AbortController().signal })
  while (tries <= 5) {
    await turn()
    clock.advance(10_000)
  }

  await within(done, 'the write')
  expect(log.lines).toEqual([expect.stringMatching(/^error Could not store a result.*disk full/), expect.stringMatching(/^info Could store a result after 5/)])
})

test('a write that fails while the worker stops is given up, so that nothing follows it', async () => {
  const write = (): Promise<never> => Promise.reject(new Error('disk full'))

  const given = insist('store a result', write, { clock: new ManualClock(), logger: new RecordedLog(), stopping: AbortSignal.abort() })

  await expect(given).rejects.toThrow('disk full')
})

test('a worker that stops does not wait for the next try', async () => {
  const clock = new ManualClock()
  const quit = new AbortController()
  let tries = 0
  const write = async (): Promise<void> => {
    tries += 1
    throw new Error('disk full')
  }
  const given = insist('store a result', write, { clock, logger: new RecordedLog(), stopping: quit.signal })
  await expect.poll(() => clock.timers).toBe(1)

  quit.abort()

  await expect(within(given, 'the end of it')).rejects.toThrow('disk full')
  expect([tries, clock.timers]).toEqual([1, 0])
})

import { describe, expect, test } from 'vitest'

import type { Stopper } from '../../src/internal/stopper.ts'
import { NOT_BEGUN, type Outcome } from '../../src/pool.ts'
import { SoloPool } from '../../src/pools/solo-pool.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { within } from '../support/within.ts'
import { execution } from './support.ts'

/** A pool whose tasks end when the test says so. */
function pool(): { solo: SoloPool; clock: ManualClock; end: (outcome: Outcome) => void; ends: ((outcome: Outcome) => void)[]; signals: AbortSignal[] } {
  const clock = new ManualClock()
  const signals: AbortSignal[] = []
  const ends: ((outcome: Outcome) => void)[] = []
  const solo = new SoloPool((_execution, stopper: Stopper) => {
    signals.push(stopper.signal)
    return new Promise((resolve) => ends.push(resolve))
  }, clock)
  return { solo, clock, signals, ends, end: (outcome) => ends.at(-1)?.(outcome) }
}

const SUCCEEDED: Outcome = { kind: 'succeeded', resultText: '1' }

describe('a solo pool', () => {
  test('runs a task in this process', async () => {
    const { solo, end } = pool()
    await solo.start()

    const outcome = solo.run(execution('a', ''))
    expect(solo.pidOf('a')).toBe(process.pid)
    end(SUCCEEDED)

    expect(await outcome).toBe(SUCCEEDED)
    expect(solo.pidOf('a')).toBeUndefined()
    expect([solo.size, solo.isolated, solo.pids()]).toEqual([1, false, []])
  })

  test('lets go of a task that is terminated, and its late end changes nothing', async () => {
    const { solo, signals, end } = pool()
    const outcome = solo.run(execution('a', ''))

    expect(solo.terminate('a')).toBe(true)
    expect(solo.terminate('a')).toBe(false)
    end(SUCCEEDED)

    expect(await outcome).toEqual({ kind: 'terminated' })
    expect(signals[0]?.aborted).toBe(true)
  })

  test('takes the late end of one run for no other of the same id', async () => {
    const { solo, end, ends } = pool()
    const first = solo.run(execution('a', ''))
    solo.terminate('a')
    const second = solo.run(execution('a', ''))

    ends[0]?.(SUCCEEDED)
    end({ kind: 'succeeded', resultText: '2' })

    expect(await first).toEqual({ kind: 'terminated' })
    expect(await within(second, 'the second run')).toEqual({ kind: 'succeeded', resultText: '2' })
  })

  test('stops at once when it is asked again without a grace', async () => {
    const { solo, clock } = pool()
    const outcome = solo.run(execution('a', ''))

    const first = solo.stop(10_000)
    const second = solo.stop(0)
    clock.advance(0)

    await within(Promise.all([first, second]), 'both stops')
    expect(await outcome).toMatchObject({ kind: 'lost', bystander: true })
  })

  test('waits for its task when it stops', async () => {
    const { solo, end, clock } = pool()
    const outcome = solo.run(execution('a', ''))

    const stopped = solo.stop(1_000)
    end(SUCCEEDED)

    await within(stopped, 'the pool to stop')
    expect(await outcome).toBe(SUCCEEDED)
    expect(clock.timers).toBe(0)
  })

  test('gives its task up after the grace', async () => {
    const { solo, clock, signals } = pool()
    const outcome = solo.run(execution('a', ''))

    const stopped = solo.stop(1_000)
    clock.advance(1_000)

    await within(stopped, 'the pool to stop')
    expect(await outcome).toMatchObject({ kind: 'lost', bystander: true })
    expect(signals[0]?.aborted).toBe(true)
  })

  test('begins nothing once it has stopped', async () => {
    const { solo, signals } = pool()
    await solo.stop(0)

    expect(await within(solo.run(execution('a', '')), 'the outcome')).toBe(NOT_BEGUN)
    expect(signals).toEqual([])
  })
})

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Rounds } from '../../src/internal/rounds.ts'
import { ManualClock } from '../support/manual-clock.ts'

test('makes the first round at once and the next a second after the one before has ended', async () => {
  const { clock, rounds, made, underWay } = recordedRounds()

  const started = rounds.start()
  clock.advance(5000)
  expect(made).toHaveLength(1)

  underWay().resolve()
  await started
  clock.advance(999)
  expect(made).toHaveLength(1)

  clock.advance(1)
  clock.advance(5000)
  expect(made).toHaveLength(2)

  underWay().resolve()
  await setImmediate()
  clock.advance(1000)
  expect(made).toHaveLength(3)
})

test('waits for the round under way when it stops, and makes no other', async () => {
  const { clock, rounds, made, underWay } = recordedRounds()
  void rounds.start()
  underWay().resolve()
  await setImmediate()
  clock.advance(1000)

  let hasStopped = false
  const stopped = rounds.stop().then(() => (hasStopped = true))
  await setImmediate()
  expect([rounds.isStopped, hasStopped]).toEqual([true, false])

  underWay().resolve()
  await stopped
  await setImmediate()
  expect(clock.timers).toBe(0)
  expect(made).toHaveLength(2)
})

test('drops the round to come when it stops, and may be stopped again', async () => {
  const { clock, rounds, underWay } = recordedRounds()
  const started = rounds.start()
  underWay().resolve()
  await started
  expect(clock.timers).toBe(1)

  await rounds.stop()
  await rounds.stop()

  expect(clock.timers).toBe(0)
})

test('makes no round when it was stopped before its start', async () => {
  const { clock, rounds, made } = recordedRounds()

  await rounds.stop()
  await rounds.start()

  expect(made).toEqual([])
  expect(clock.timers).toBe(0)
})

/** Rounds that end when `underWay()`, the last of them, is resolved. */
function recordedRounds(): { clock: ManualClock; rounds: Rounds; made: PromiseWithResolvers<void>[]; underWay: () => PromiseWithResolvers<void> } {
  const clock = new ManualClock()
  const made: PromiseWithResolvers<void>[] = []
  const rounds = new Rounds(clock, () => {
    const round = Promise.withResolvers<void>()
    made.push(round)
    return round.promise
  })
  const underWay = (): PromiseWithResolvers<void> => {
    const last = made.at(-1)
    if (last === undefined) throw new Error('No round was made')
    return last
  }
  return { clock, rounds, made, underWay }
}

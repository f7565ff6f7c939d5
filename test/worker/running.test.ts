import { expect, test } from 'vitest'

import { type RunningTask, RunningTasks } from '../../src/worker/running.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** A task that counts how often it was told that it runs long. */
function counted(hasBegun: () => boolean = () => true): RunningTask & { readonly told: () => number; readonly states: string[] } {
  let told = 0
  const states: string[] = []
  return { hasBegun, onLong: () => void (told += 1), onState: (state) => void states.push(state), told: () => told, states }
}

test('a task is told once that it runs long, after 20 to 40 ms', () => {
  const clock = new ManualClock()
  const running = new RunningTasks(clock)
  const task = counted()

  running.begin('a', task)
  clock.advance(19)
  expect(task.told()).toBe(0)

  clock.advance(21)
  expect(task.told()).toBe(1)
  clock.advance(1_000)
  expect(task.told()).toBe(1)
})

test('a task that ends before is not told, and no timer is left', () => {
  const clock = new ManualClock()
  const running = new RunningTasks(clock)
  const task = counted()

  running.begin('a', task)
  running.end('a')
  clock.advance(1_000)

  expect(task.told()).toBe(0)
  expect(clock.timers).toBe(0)
})

test('a task that waits for a process counts from when it has one', () => {
  const clock = new ManualClock()
  const running = new RunningTasks(clock)
  let began = false
  const task = counted(() => began)

  running.begin('a', task)
  clock.advance(500)
  expect(task.told()).toBe(0)

  began = true
  clock.advance(40)
  expect(task.told()).toBe(1)
})

test('states reach the task that runs, and nobody once it has ended', () => {
  const running = new RunningTasks(new ManualClock())
  const task = counted()
  running.begin('a', task)

  running.reportState('a', 'PROGRESS', '1')
  running.end('a')
  running.reportState('a', 'LATE', '1')

  expect(task.states).toEqual(['PROGRESS'])
  expect([running.has('a'), running.size]).toEqual([false, 0])
})

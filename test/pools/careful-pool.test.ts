import { afterEach, expect, test } from 'vitest'

import type { Pool } from '../../src/pool.ts'
import { CarefulPool } from '../../src/pools/careful-pool.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { within } from '../support/within.ts'
import { execution, testPool } from './support.ts'

failOnLeftovers()

let pool: CarefulPool

afterEach(() => pool.stop(0))

/** Two tasks in one process, and how often a second pool was made. */
async function start(): Promise<{ opened: Pool[] }> {
  const opened: Pool[] = []
  pool = new CarefulPool(testPool({ children: 1, slots: 2 }).pool, () => {
    const second = testPool({ children: 1, slots: 1 }).pool
    opened.push(second)
    return second
  })
  await pool.start()
  return { opened }
}

test('what is to run alone dies alone, in a process that is made when it is needed', async () => {
  const { opened } = await start()
  const [pid] = pool.pids()
  const neighbour = pool.run(execution('a', 'wait'))
  await expect.poll(() => pool.pidOf('a')).toBe(pid)
  expect(opened).toHaveLength(0)

  const lost = await within(pool.run(execution('b', 'die'), true), 'the end of b')
  const next = pool.run(execution('c', 'wait'), true)
  await expect.poll(() => pool.pidOf('c')).toBeDefined()

  expect(lost).toMatchObject({ kind: 'lost', bystander: false })
  expect(opened).toHaveLength(1)
  expect(pool.pids()).toEqual([pid, pool.pidOf('c')])
  expect(pool.pidOf('a')).toBe(pid)
  expect([pool.terminate('c', 5_000), pool.terminate('a', 5_000), pool.terminate('unheard', 0)]).toEqual([true, true, false])
  expect(await within(Promise.all([neighbour, next]), 'the rest')).toEqual([{ kind: 'terminated' }, { kind: 'terminated' }])
})

test('both stop, and then begin nothing', async () => {
  await start()
  const alone = pool.run(execution('a', 'wait'), true)
  await expect.poll(() => pool.pidOf('a')).toBeDefined()

  await within(pool.stop(0), 'the stop')

  expect(await alone).toMatchObject({ kind: 'lost', bystander: true })
  expect(pool.pids()).toEqual([])
  expect(await pool.run(execution('b', 'go'), true)).toMatchObject({ kind: 'lost', bystander: true })
})

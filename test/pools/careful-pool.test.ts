import { fileURLToPath } from 'node:url'
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
async function start(app?: string): Promise<{ opened: Pool[]; warnings: string[] }> {
  const opened: Pool[] = []
  const warnings: string[] = []
  pool = new CarefulPool(testPool({ children: 1, slots: 2 }).pool, () => {
    const second = testPool({ children: 1, slots: 1, ...(app !== undefined && { app }) }).pool
    opened.push(second)
    return second
  }, (message) => warnings.push(message))
  await pool.start()
  return { opened, warnings }
}

test('what is to run alone dies alone, in a process that is made when it is needed', async () => {
  const { opened } = await start()
  const [pid] = pool.pids()
  const neighbour = pool.run(execution('a', 'wait'))
  await expect.poll(() => pool.pidOf('a')).toBe(pid)
  expect(opened).toHaveLength(0)

  const lost = await within(pool.run(execution('b', 'die'), { alone: true }), 'the end of b')
  const next = pool.run(execution('c', 'wait'), { alone: true })
  await expect.poll(() => pool.pidOf('c')).toBeDefined()

  expect(lost).toMatchObject({ kind: 'lost', bystander: false })
  expect(opened).toHaveLength(1)
  expect(pool.pids()).toEqual([pid, pool.pidOf('c')])
  expect(pool.pidOf('a')).toBe(pid)
  expect([pool.terminate('c', 5_000), pool.terminate('a', 5_000), pool.terminate('unheard', 0)]).toEqual([true, true, false])
  expect(await within(Promise.all([neighbour, next]), 'the rest')).toEqual([{ kind: 'terminated' }, { kind: 'terminated' }])
})

test('what is to run alone runs beside others where no second process starts, which is said', async () => {
  const { opened, warnings } = await start(fileURLToPath(import.meta.url))

  const given = await within(pool.run(execution('a', 'go'), { alone: true }), 'what waited to come back')
  await expect.poll(() => warnings.join()).toContain('no second process starts: Error: ')
  const again = await within(pool.run(execution('a', 'go'), { alone: true }), 'the next try')

  expect(given).toMatchObject({ kind: 'lost', bystander: true })
  expect(again).toMatchObject({ kind: 'succeeded' })
  expect(opened).toHaveLength(1)
  expect(warnings).toHaveLength(1)
})

test('both stop, and then begin nothing', async () => {
  await start()
  const alone = pool.run(execution('a', 'wait'), { alone: true })
  await expect.poll(() => pool.pidOf('a')).toBeDefined()

  await within(pool.stop(0), 'the stop')

  expect(await alone).toMatchObject({ kind: 'lost', bystander: true })
  expect(pool.pids()).toEqual([])
  expect(await pool.run(execution('b', 'go'), { alone: true })).toMatchObject({ kind: 'lost', bystander: true })
})

import { afterAll, expect, test } from 'vitest'

import { failOnLeftovers } from '../support/leaks.ts'
import { killAtEveryTick } from './killer.ts'
import { expectNothingLost, seeds, surviveKilling, TRIAL_TIMEOUT_MS } from './survival.ts'
import { KINDS, type Kills } from './victims.ts'

/** Alone, a web process would be hit by every kill until it has a worker, and so never get one. */
const WEBS = 3
const SEEDS = 10

failOnLeftovers()

const killed: Kills[] = []

test.for(seeds(SEEDS))('every accepted task runs, though a process dies every 150 ms (seed %i)', { timeout: TRIAL_TIMEOUT_MS }, async (seed) => {
  const report = await surviveKilling({ seed, webs: WEBS, kill: killAtEveryTick })

  killed.push(report.kills)
  const { web, worker, child } = report.kills
  expect(web + worker + child, `kills, seed ${seed}`).toBeGreaterThanOrEqual(50)
  expectNothingLost(report)
})

afterAll(() => {
  for (const kind of killed.length < SEEDS ? [] : KINDS) {
    const hits = killed.map((kills) => kills[kind])
    if (hits.reduce((total, each) => total + each, 0) < 10) throw new Error(`A ${kind} was hardly ever killed, by seed: ${hits.join(', ')}`)
  }
})

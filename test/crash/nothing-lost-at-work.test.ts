import { test } from 'vitest'

import { failOnLeftovers } from '../support/leaks.ts'
import { killWhenThere } from './killer.ts'
import { expectNothingLost, seeds, surviveKilling, TRIAL_TIMEOUT_MS } from './survival.ts'

failOnLeftovers()

const [first = 0, second = 0, third = 0, fourth = 0] = seeds(4)

// Each pair has both pools.
test.for([
  ['relentless', first, second],
  ['patient', third, fourth],
] as const)('every accepted task runs, whatever a %s killer waits for (seeds %i and %i)', { timeout: TRIAL_TIMEOUT_MS }, async ([temper, ...pair]) => {
  const reports = await Promise.all(pair.map((seed) => surviveKilling({ seed, webs: 1, kill: (options) => killWhenThere({ ...options, temper }) })))

  for (const report of reports) expectNothingLost(report)
})

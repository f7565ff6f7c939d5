import type { Measurement } from '../measurement.ts'
import { speedRow } from '../rows.ts'

const SIDES = { celeriac: 'celeriac-drain.ts', bullmq: 'bullmq-drain.ts' }

/** How fast one worker empties a full queue with 50 tasks at once. */
export const run: Measurement = {
  name: 'run',
  title: 'Run, one worker, 50 at once',
  sides: SIDES,
  concurrency: 50,
  rows: (rounds) => [speedRow('run, one worker, 50 at once, /s', rounds, 'perSecond', 1)],
  boundedBy:
    'The worker claims, stores results and acknowledges in batches; each task still crosses to the pool process and back.',
}

/** How fast one worker empties a full queue with one task at a time. */
export const oneAtATime: Measurement = {
  name: 'one-at-a-time',
  title: 'Run, one at a time',
  sides: SIDES,
  concurrency: 1,
  rows: (rounds) => [speedRow('run, one at a time, /s', rounds, 'perSecond', 1.5)],
  boundedBy: 'One at a time leaves nothing to batch: every task pays its own trip to the pool process and back.',
}

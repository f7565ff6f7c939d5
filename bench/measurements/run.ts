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
    'The worker process, with some 30 µs a task: SQLite for the claim, the result and the acknowledgement, JSON for the pipe. ' +
    'Tried: result and acknowledgement in one commit (8 % more), ids that sort by time, so that their index grows at its end (10 % more), ' +
    'only the headers that are needed on the pipe (12 % more), tasks handed over ahead of free slots (9 % more), commits that wait to gather more (no gain).',
}

/** How fast one worker empties a full queue with one task at a time. */
export const oneAtATime: Measurement = {
  name: 'one-at-a-time',
  title: 'Run, one at a time',
  sides: SIDES,
  concurrency: 1,
  rows: (rounds) => [speedRow('run, one at a time, /s', rounds, 'perSecond', 1.5)],
  boundedBy:
    'With one slot only four messages are prefetched, so a commit and a write to the pipe serve four tasks. ' +
    'Tried: result and acknowledgement in one commit (8 % more), ids that sort by time (17 % less time of the worker), ' +
    'tasks handed over ahead of the slot (0.88 × before). With workerPrefetchMultiplier 32 it is 2.9 × (16,000/s), ' +
    'but a default of 32 would keep long tasks from other workers.',
}

import type { Measurement } from '../measurement.ts'
import { speedRow } from '../rows.ts'

const SIDES = { celeriac: 'celeriac-drain.ts', 'celeriac-redis': 'celeriac-drain.ts', bullmq: 'bullmq-drain.ts' }

const FIGURE = 'perSecond'
const WARM_FIGURE = 'perSecondWarm'

/** How fast one worker empties a full queue with 50 tasks at once. */
export const run: Measurement = {
  name: 'run',
  title: 'Run, one worker, 50 at once',
  sides: { ...SIDES, bare: 'bare-drain.ts' },
  concurrency: 50,
  rows: (rounds) => [
    speedRow(rounds, { what: 'run, one worker, 50 at once, /s, on SQLite', figure: FIGURE, ours: 'celeriac', peer: 'bullmq' }, 1),
    speedRow(rounds, { what: 'run, one worker, 50 at once, /s, on Redis', figure: FIGURE, ours: 'celeriac-redis', peer: 'bullmq' }, 2),
    speedRow(rounds, { what: 'once warm, /s, on Redis', figure: WARM_FIGURE, ours: 'celeriac-redis', peer: 'bullmq' }, 2),
    speedRow(rounds, { what: 'the same by a bare loop', figure: FIGURE, ours: 'bare', peer: 'bullmq' }),
    speedRow(rounds, { what: 'by a bare loop once warm', figure: WARM_FIGURE, ours: 'bare', peer: 'bullmq' }),
  ],
  boundedBy:
    'On SQLite the worker process, with some 30 µs a task: SQLite for the claim, the result and the acknowledgement, JSON for the pipe. ' +
    'Tried: result and acknowledgement in one commit (8 % more), ids that sort by time, so that their index grows at its end (10 % more), ' +
    'only the headers that are needed on the pipe (12 % more), tasks handed over ahead of free slots (9 % more), commits that wait to gather more (no gain). ' +
    'On Redis the two cores: once warm, of some 38 µs a task the worker takes 18, a fifth of it for garbage, its pool process 9 and the server 11 ' +
    '(6 to claim, 3 to store and publish, 1.4 to acknowledge), and the worker waits 9 more for a core; it then runs 38,000 tasks/s, BullMQ 30,000. ' +
    'The lap that is timed comes after 2,000 tasks, while code is still being compiled (30 µs of the worker). ' +
    'The bare loop takes 9, 3 and 12 µs: it reads no message with care and knows no leases, losses, revocations, states, limits or extended results. ' +
    'Tried: result and acknowledgement in one script (no gain at 50 at once, 5 % one at a time), acknowledgements without a script (0.2 µs), ' +
    'a larger young generation (3 %), one thread for garbage, type feedback from the first call (no gain).',
}

/** How fast one worker empties a full queue with one task at a time. */
export const oneAtATime: Measurement = {
  name: 'one-at-a-time',
  title: 'Run, one at a time',
  sides: SIDES,
  concurrency: 1,
  rows: (rounds) => [
    speedRow(rounds, { what: 'run, one at a time, /s, on SQLite', figure: FIGURE, ours: 'celeriac', peer: 'bullmq' }, 1.5),
    speedRow(rounds, { what: 'run, one at a time, /s, on Redis', figure: FIGURE, ours: 'celeriac-redis', peer: 'bullmq' }, 1.5),
  ],
  boundedBy:
    'With one slot only four messages are prefetched, so a commit and a write to the pipe serve four tasks. ' +
    'Tried on SQLite: result and acknowledgement in one commit (8 % more), ids that sort by time (17 % less time of the worker), ' +
    'tasks handed over ahead of the slot (0.88 × before). With workerPrefetchMultiplier 32 it is 2.9 × (16,000/s), ' +
    'but a default of 32 would keep long tasks from other workers. ' +
    'On Redis two tasks share the round trips to claim, store and acknowledge, each of which costs server and worker 15 to 20 µs.',
}

/** How fast a worker with two child processes, each running one task at a time, empties a full queue. */
export const prefork: Measurement = {
  name: 'prefork',
  title: 'Run, two child processes',
  sides: { celeriac: SIDES.celeriac, 'celeriac-redis': SIDES['celeriac-redis'], celery: 'celery-drain.ts' },
  concurrency: 2,
  pool: 'prefork',
  rows: (rounds) => [
    speedRow(rounds, { what: 'run, prefork with 2 children, /s, on SQLite', figure: FIGURE, ours: 'celeriac', peer: 'celery' }),
    speedRow(rounds, { what: 'run, prefork with 2 children, /s, on Redis', figure: FIGURE, ours: 'celeriac-redis', peer: 'celery' }, 8),
  ],
  boundedBy: 'Three processes and the server share two cores, and each child is given one task at a time, so that a trip over its pipe and most of ' +
    'those to the server serve one or two tasks.',
}

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
    'On Redis the two cores: of 130 µs of theirs that a task took on a slow machine, while BullMQ ran 7,800 tasks/s, the worker used 45, ' +
    'its pool process 24 and the server 27, and 33 went into compiling code, which ends with the first lap. ' +
    'Twice as fast as BullMQ would take both cores to the last 128 µs; some 30 are lost in waking them. ' +
    'Of the worker some 15 % is garbage, 10 % promises, 15 % JSON for the pipe and back, 10 % the protocol of the server. ' +
    'The bare loop has the same client, server and pipe, and reads no message with care and knows no leases, losses, revocations, states, limits or ' +
    'extended results. Tried: messages of a known form read by one pattern and handed over but for what is their own (a third less time), ' +
    'claims list by list and fewer promises (9 %), no accessor in what describes a task, and its function found by the reference (3 %), ' +
    'result and acknowledgement in one script (no gain at 50 at once, 5 % one at a time), acknowledgements without a script (0.2 µs), ' +
    'a larger young generation, one thread for garbage, type feedback or simple machine code from the first call, no optimising compiler, ' +
    'half or twice as many tasks held, processes bound to a core, a pool process of lower priority (all no gain).',
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

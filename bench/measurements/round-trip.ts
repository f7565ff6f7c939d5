import { type Measurement, type Rounds, type Row, type SideName, series } from '../measurement.ts'
import { latencyRow, limitRow } from '../rows.ts'
import { median } from '../statistics.ts'

/** How long a caller waits for a result when nothing else happens and the worker is warm. */
export const roundTrip: Measurement = {
  name: 'round-trip',
  title: 'Submit to result, idle',
  sides: {
    celeriac: 'celeriac-round-trip.ts',
    'celeriac-redis': 'celeriac-round-trip.ts',
    bullmq: 'bullmq-round-trip.ts',
    celery: 'celery-round-trip.ts',
    bare: 'bare-round-trip.ts',
  },
  concurrency: 1,
  rows: (rounds) => [
    limitRow('submit → result, idle, p50, on SQLite', median(series(rounds.celeriac, 'p50Ms')), 2, 'ms'),
    limitRow('submit → result, idle, p99, on SQLite', median(series(rounds.celeriac, 'p99Ms')), 8, 'ms'),
    redisRow('p50', rounds, 'bullmq', 1),
    redisRow('p99', rounds, 'bullmq', 1),
    warmRow('p50', rounds, 'celeriac-redis', 1),
    warmRow('p99', rounds, 'celeriac-redis', 1),
    redisRow('p50', rounds, 'celery'),
    redisRow('p99', rounds, 'celery'),
    bareRow('p50', rounds),
    bareRow('p99', rounds),
    warmRow('p50', rounds, 'bare'),
    warmRow('p99', rounds, 'bare'),
  ],
  boundedBy:
    'On SQLite two wake-ups through the file system, one for the message and one for the result, and a trip to the pool process and back. ' +
    'On Redis a push that wakes the worker, its claim, a trip to the pool process and back, and a script that stores the result and publishes it: ' +
    'eight times another process goes on, and six times with BullMQ, which runs tasks in the worker itself. On a virtual machine each wakes a core ' +
    'that has halted, for some 30 µs to whoever wakes it and as much to whom it wakes: writing to sockets is a third of what the worker does. ' +
    'The first figures are those of the trips 51 to 550 of fresh processes, while code is still being compiled, which is where the slowest trips come ' +
    'from: without optimising compilers p99 is half of that. ' +
    'Tried: one subscription for all of our own results rather than one each (a fifth less once warm, half of the caller\'s time), ' +
    'looking for a result 50 ms later only (a fifth less), messages of a known form read by one pattern, ' +
    'having the server watch what the claim has read rather than asking once more, acknowledgements that wait for each other, ' +
    'type feedback or simple machine code from the first call, compiling in turn (no gain that lasts). ' +
    'Not done: a sender that hands its message to an idle worker itself, which saves one trip to the server; a worker that is idle would have to say so ' +
    'after each task, or tasks would go to one that is busy while another is not.',
}

function bareRow(percentile: 'p50' | 'p99', rounds: Rounds): Row {
  return latencyRow(rounds, { what: `the same by a bare loop, ${percentile}`, figure: `${percentile}Ms`, ours: 'bare', peer: 'bullmq' })
}

function warmRow(percentile: 'p50' | 'p99', rounds: Rounds, ours: 'celeriac-redis' | 'bare', most?: number): Row {
  const what = ours === 'bare' ? `by a bare loop once warm, ${percentile}` : `once warm, ${percentile}, on Redis`
  return latencyRow(rounds, { what, figure: `${percentile}MsWarm`, ours, peer: 'bullmq' }, most)
}

function redisRow(percentile: 'p50' | 'p99', rounds: Rounds, peer: SideName, most?: number): Row {
  const what = `submit → result, idle, ${percentile}, on Redis`
  return latencyRow(rounds, { what, figure: `${percentile}Ms`, ours: 'celeriac-redis', peer }, most)
}

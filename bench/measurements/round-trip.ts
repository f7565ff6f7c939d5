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
  },
  concurrency: 1,
  rows: (rounds) => [
    limitRow('submit → result, idle, p50, on SQLite', median(series(rounds.celeriac, 'p50Ms')), 2, 'ms'),
    limitRow('submit → result, idle, p99, on SQLite', median(series(rounds.celeriac, 'p99Ms')), 8, 'ms'),
    redisRow('p50', rounds, 'bullmq', 1),
    redisRow('p99', rounds, 'bullmq', 1),
    redisRow('p50', rounds, 'celery'),
    redisRow('p99', rounds, 'celery'),
  ],
  boundedBy:
    'On SQLite two wake-ups through the file system, one for the message and one for the result, and a trip to the pool process and back. ' +
    'On Redis a push that wakes the worker, its claim, a trip to the pool process and back, and a script that stores the result and publishes it; ' +
    'BullMQ runs tasks in the worker itself.',
}

function redisRow(percentile: 'p50' | 'p99', rounds: Rounds, peer: SideName, most?: number): Row {
  const what = `submit → result, idle, ${percentile}, on Redis`
  return latencyRow(rounds, { what, figure: `${percentile}Ms`, ours: 'celeriac-redis', peer }, most)
}

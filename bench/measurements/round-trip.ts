import { type Measurement, type Rounds, type Row, series } from '../measurement.ts'
import { limitRow } from '../rows.ts'
import { median } from '../statistics.ts'

/** How long a caller waits for a result when nothing else happens and the worker is warm. */
export const roundTrip: Measurement = {
  name: 'round-trip',
  title: 'Submit to result, idle',
  sides: { celeriac: 'celeriac-round-trip.ts', bullmq: 'bullmq-round-trip.ts' },
  concurrency: 1,
  rows: (rounds) => [
    latencyRow('submit → result, idle, p50', rounds, 'p50Ms', 2),
    latencyRow('submit → result, idle, p99', rounds, 'p99Ms', 8),
  ],
  boundedBy:
    'Two wake-ups through the file system, one for the message and one for the result, and a trip to the pool process and back.',
}

function latencyRow(what: string, { celeriac, bullmq }: Rounds, figure: string, mostMs: number): Row {
  return limitRow(what, median(series(celeriac, figure)), mostMs, 'ms', median(series(bullmq, figure)))
}

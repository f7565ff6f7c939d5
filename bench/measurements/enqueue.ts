import type { Measurement } from '../measurement.ts'
import { speedRow } from '../rows.ts'

/** How fast tasks are accepted when many submissions are awaited together. */
export const enqueue: Measurement = {
  name: 'enqueue',
  title: 'Enqueue, many in flight',
  sides: { celeriac: 'celeriac-enqueue.ts', bullmq: 'bullmq-enqueue.ts' },
  concurrency: 1,
  rows: (rounds) => [speedRow('enqueue, many in flight, /s', rounds, 'perSecond', 1)],
  boundedBy:
    'The submissions of one turn share a transaction, so the cost is building each message and two inserts for it.',
}

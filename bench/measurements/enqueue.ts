import type { Measurement } from '../measurement.ts'
import { speedRow } from '../rows.ts'

const FIGURE = 'perSecond'

/** How fast tasks are accepted when many submissions are awaited together. */
export const enqueue: Measurement = {
  name: 'enqueue',
  title: 'Enqueue, many in flight',
  sides: {
    celeriac: 'celeriac-enqueue.ts',
    'celeriac-redis': 'celeriac-enqueue.ts',
    bullmq: 'bullmq-enqueue.ts',
    celery: 'celery-enqueue.ts',
  },
  concurrency: 1,
  rows: (rounds) => [
    speedRow(rounds, { what: 'enqueue, many in flight, /s, on SQLite', figure: FIGURE, ours: 'celeriac', peer: 'bullmq' }, 1),
    speedRow(rounds, { what: 'enqueue, many in flight, /s, on Redis', figure: FIGURE, ours: 'celeriac-redis', peer: 'bullmq' }, 2),
    speedRow(rounds, { what: 'enqueue, /s, on Redis, beside Celery one by one', figure: FIGURE, ours: 'celeriac-redis', peer: 'celery' }),
  ],
  boundedBy:
    'On SQLite the submissions of one turn share a transaction, so the cost is building each message and two inserts for it. ' +
    'On Redis they share one LPUSH, which costs client and server 1 µs each for a message; the rest of some 6 µs is the producer: ' +
    'its signature, the text of 1 kB, and collecting what waits for the reply, 1 µs each, and promises. ' +
    'Tried: one reaction for all submissions of a turn (slower), joining the signed text (no gain), writing the keyed block of the HMAC once (no gain). ' +
    'Celery has no way to have many in flight: each call waits for the server.',
}

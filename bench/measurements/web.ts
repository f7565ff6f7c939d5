import { type Measurement, series } from '../measurement.ts'
import { limitRow } from '../rows.ts'
import { median } from '../statistics.ts'

/** How long the web process's event loop is held up while two workers drain its queue at full speed. */
export const web: Measurement = {
  name: 'web',
  title: 'Event loop of the web process while two workers drain the queue',
  sides: { celeriac: 'celeriac-web.ts' },
  concurrency: 50,
  mostRounds: 2,
  rows: ({ celeriac }) => [limitRow('event-loop delay of the web process, p99', median(series(celeriac, 'p99Ms')), 10, 'ms')],
  boundedBy:
    'SQLite is called on the event loop, so its longest transaction shows; its log is moved by a thread; the workers compete for the two cores.',
}

import { type Measurement, series } from '../measurement.ts'
import { limitRow } from '../rows.ts'
import { median } from '../statistics.ts'

/** What an application and one worker cost while nothing happens. */
export const idle: Measurement = {
  name: 'idle',
  title: 'Idle for a minute',
  sides: { celeriac: 'celeriac-idle.ts' },
  concurrency: 1,
  mostRounds: 1,
  rows: ({ celeriac }) => [
    limitRow('idle application and worker, of a core', median(series(celeriac, 'percent')), 1, '%'),
    limitRow('idle worker alone, of a core', median(series(celeriac, 'workerPercent')), 1, '%'),
  ],
  boundedBy: 'Renewing the lease and looking for lost wake-ups are the only things that happen; /proc counts in steps of 10 ms.',
}

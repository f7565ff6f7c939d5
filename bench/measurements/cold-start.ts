import { type Measurement, series } from '../measurement.ts'
import { limitRow } from '../rows.ts'
import { median, percentile } from '../statistics.ts'

/** How long the first submit of a fresh process takes to give its result, with the start of the worker in it. */
export const coldStart: Measurement = {
  name: 'cold',
  title: 'First submit of a fresh process to result',
  sides: { celeriac: 'celeriac-cold.ts' },
  concurrency: 1,
  rows: ({ celeriac }) => [
    limitRow('first submit → result, median', median(series(celeriac, 'firstResultMs')) / 1000, 1, 's'),
    limitRow('first submit → result, slowest', percentile(series(celeriac, 'firstResultMs'), 1) / 1000, 1, 's'),
  ],
  boundedBy: 'Two processes start one after the other, the worker and its pool process, and each loads Node and the library.',
}

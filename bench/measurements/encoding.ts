import { type Measurement, series } from '../measurement.ts'
import { limitRow, shareRow } from '../rows.ts'
import { median } from '../statistics.ts'

/** What encoding and decoding cost, beside the libraries that do nothing else, measured in the same process lap by lap. */
export const encoding: Measurement = {
  name: 'encoding',
  title: 'Encode and decode',
  sides: { celeriac: 'celeriac-encoding.ts' },
  concurrency: 1,
  rows: ({ celeriac }) => [
    shareRow('two numbers, of bare JSON', median(series(celeriac, 'numbersOfJson')), 0.8),
    shareRow('a message of 115 bytes, of bare JSON', median(series(celeriac, 'messageOfJson')), 0.8),
    shareRow('10 kB of rows with one Date, of msgpackr structured clone', median(series(celeriac, 'rowsOfMsgpackr')), 0.5),
    limitRow('a new closure', median(series(celeriac, 'newClosureMicros')), 200, 'µs'),
    limitRow('the same closure again', median(series(celeriac, 'sameClosureMicros')), 60, 'µs'),
    limitRow('sign and verify 1 kB', median(series(celeriac, 'signMicros')), 20, 'µs'),
  ],
  boundedBy:
    'One walk finds out that bare JSON will do: every value is looked at, every object for hidden keys and for being met twice, every array for keys that ' +
    'are no index. Rows are JSON as well, and bare JSON alone has about 0.55 of the speed of msgpackr, which writes the keys of equal rows once.',
}

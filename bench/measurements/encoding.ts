import { type Measurement, type Rounds, type Row, series } from '../measurement.ts'
import { formatNumber, limitRow } from '../rows.ts'
import { median } from '../statistics.ts'

/** What encoding and decoding cost, beside the libraries that do nothing else. */
export const encoding: Measurement = {
  name: 'encoding',
  title: 'Encode and decode',
  sides: { celeriac: 'celeriac-encoding.ts' },
  concurrency: 1,
  rows: (rounds) => [
    shareRow('two numbers, of bare JSON', rounds, 'numbersOfJson', 0.8),
    shareRow('a message of 115 bytes, of bare JSON', rounds, 'messageOfJson', 0.8),
    shareRow('10 kB of rows with one Date, of msgpackr structured clone', rounds, 'rowsOfMsgpackr', 0.5),
    limitRow('a new closure', median(series(rounds.celeriac, 'newClosureMicros')), 200, 'µs'),
    limitRow('the same closure again', median(series(rounds.celeriac, 'sameClosureMicros')), 60, 'µs'),
    limitRow('sign and verify 1 kB', median(series(rounds.celeriac, 'signMicros')), 20, 'µs'),
  ],
  boundedBy:
    'One walk finds out that bare JSON will do: every value is looked at, every object for hidden keys and for being met twice, every array for keys that ' +
    'are no index. Rows are JSON as well, and bare JSON alone has about 0.55 of the speed of msgpackr, which writes the keys of equal rows once.',
}

/** Our speed as a share of a peer's that was measured in the same process, lap by lap. */
function shareRow(what: string, { celeriac }: Rounds, figure: string, leastShare: number): Row {
  const share = median(series(celeriac, figure))
  return { what, ours: formatNumber(share), peer: '–', ratio: '–', target: `≥ ${leastShare}`, met: Number.isNaN(share) ? undefined : share >= leastShare }
}

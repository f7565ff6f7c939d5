import { type Measurement, type Rounds, type Row, series } from '../measurement.ts'
import { formatNumber, limitRow } from '../rows.ts'
import { median } from '../statistics.ts'

/** Speed at depth may differ from that of a short queue by this much. */
const LEAST_RATIO = 0.8

/** The worker's memory may differ by this much and count as flat: what a garbage collection more or less makes. */
const FLAT_MEGABYTES = 32

/** Whether a million waiting tasks slow anything down. */
export const depth: Measurement = {
  name: 'depth',
  title: '1,000,000 waiting tasks against 10,000',
  sides: { celeriac: 'celeriac-depth.ts' },
  concurrency: 50,
  mostRounds: 3,
  rows: (rounds) => [
    ratioRow('enqueue at depth 1,000,000 / 10,000', rounds, 'enqueueRatio'),
    ratioRow('claim at depth 1,000,000 / 10,000', rounds, 'claimRatio'),
    shownRow('run at depth 1,000,000 / 10,000', rounds, 'runRatio'),
    memoryRow(rounds),
  ],
  boundedBy:
    'Indices grow by a level or two. Taken once the process that filled the queue has ended and its log has been moved into the file. ' +
    'Whole runs kept 0.74 to 0.97 of their speed while ids were random and each result went into another page of its index; with ids that sort by time they keep all of it.',
}

function memoryRow({ celeriac }: Rounds): Row {
  return limitRow('worker memory, growth with depth', median(series(celeriac, 'workerGrowthMegabytes')), FLAT_MEGABYTES, 'MB')
}

/** Shown beside the claim alone, which is what is promised: running and storing results share the cores with the log of a large file. */
function shownRow(what: string, { celeriac }: Rounds, figure: string): Row {
  return { what, ours: formatNumber(median(series(celeriac, figure))), peer: '–', ratio: '–', target: '–', met: undefined }
}

function ratioRow(what: string, { celeriac }: Rounds, figure: string): Row {
  const ratio = median(series(celeriac, figure))
  return {
    what,
    ours: formatNumber(ratio),
    peer: '–',
    ratio: '–',
    target: `≥ ${LEAST_RATIO}`,
    met: Number.isNaN(ratio) ? undefined : ratio >= LEAST_RATIO,
  }
}

import { type Measurement, type Rounds, type Row, type SideName, series } from '../measurement.ts'
import { limitRow, shareRow } from '../rows.ts'
import { median } from '../statistics.ts'

/** Speed at depth may differ from that of a short queue by this much. */
const LEAST_RATIO = 0.8

/** The worker's memory may differ by this much and count as flat: what a garbage collection more or less makes. */
const FLAT_MEGABYTES = 32

/** Whether a million waiting tasks slow anything down. */
export const depth: Measurement = {
  name: 'depth',
  title: '1,000,000 waiting tasks against 10,000',
  sides: { celeriac: 'celeriac-depth.ts', 'celeriac-redis': 'celeriac-depth.ts' },
  concurrency: 50,
  mostRounds: 2,
  rows: (rounds) => [...depthRows(rounds, 'celeriac', 'on SQLite'), ...depthRows(rounds, 'celeriac-redis', 'on Redis')],
  boundedBy:
    'On SQLite indices grow by a level or two. Taken once the process that filled the queue has ended and its log has been moved into the file. ' +
    'Whole runs kept 0.74 to 0.97 of their speed while ids were random and each result went into another page of its index; with ids that sort by time they keep all of it. ' +
    'On Redis both ends of a list cost the same at any length.',
}

/** Whether the worker's memory stays as it is while it runs a great many tasks. */
export const memory: Measurement = {
  name: 'memory',
  title: 'Memory of a worker over 500,000 tasks',
  sides: { 'celeriac-redis': 'celeriac-memory.ts' },
  concurrency: 50,
  mostRounds: 1,
  rows: (rounds) => [
    limitRow('worker memory, growth over 500,000 tasks, on Redis', median(series(rounds['celeriac-redis'], 'growthMegabytes')), FLAT_MEGABYTES, 'MB'),
  ],
  boundedBy: 'The worker and its pool process together, once 500,000 tasks before have got them warm.',
}

/** Whole runs are shown beside the claim alone, which is what is promised: they share the cores with the store of a long queue. */
function depthRows(rounds: Rounds, side: SideName, where: string): Row[] {
  const middle = (figure: string): number => median(series(rounds[side], figure))
  return [
    shareRow(`enqueue at depth 1,000,000 / 10,000, ${where}`, middle('enqueueRatio'), LEAST_RATIO),
    shareRow(`claim at depth 1,000,000 / 10,000, ${where}`, middle('claimRatio'), LEAST_RATIO),
    shareRow(`run at depth 1,000,000 / 10,000, ${where}`, middle('runRatio')),
    limitRow(`worker memory, growth with depth, ${where}`, middle('workerGrowthMegabytes'), FLAT_MEGABYTES, 'MB'),
  ]
}

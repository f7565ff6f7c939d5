import { type Measurement, type Rounds, type Row, type SideName, series } from '../measurement.ts'
import { limitRow } from '../rows.ts'
import { median, percentile } from '../statistics.ts'

/** How long the first submit of a fresh process takes to give its result, with the start of the worker in it. */
export const coldStart: Measurement = {
  name: 'cold',
  title: 'First submit of a fresh process to result',
  sides: { celeriac: 'celeriac-cold.ts', 'celeriac-redis': 'celeriac-cold.ts' },
  concurrency: 1,
  rows: (rounds) => [...coldRows(rounds, 'celeriac', 'on SQLite'), ...coldRows(rounds, 'celeriac-redis', 'on Redis')],
  boundedBy: 'Two processes start one after the other, the worker and its pool process, and each loads Node and the library.',
}

function coldRows(rounds: Rounds, side: SideName, where: string): Row[] {
  const seconds = series(rounds[side], 'firstResultMs').map((ms) => ms / 1000)
  return [
    limitRow(`first submit → result, median, ${where}`, median(seconds), 1, 's'),
    limitRow(`first submit → result, slowest, ${where}`, percentile(seconds, 1), 1, 's'),
  ]
}

import { type Measurement, type Rounds, type Row, type SideName, series } from '../measurement.ts'
import { limitRow } from '../rows.ts'
import { median } from '../statistics.ts'

/** What an application and one worker cost while nothing happens. */
export const idle: Measurement = {
  name: 'idle',
  title: 'Idle for 20 seconds',
  sides: { celeriac: 'celeriac-idle.ts', 'celeriac-redis': 'celeriac-idle.ts' },
  concurrency: 1,
  mostRounds: 1,
  rows: (rounds) => [...idleRows(rounds, 'celeriac', 'on SQLite'), ...idleRows(rounds, 'celeriac-redis', 'on Redis')],
  boundedBy: 'Renewing the lease and looking for lost wake-ups are the only things that happen; /proc counts in steps of 10 ms.',
}

function idleRows(rounds: Rounds, side: SideName, where: string): Row[] {
  return [
    limitRow(`idle application and worker, of a core, ${where}`, median(series(rounds[side], 'percent')), 1, '%'),
    limitRow(`idle worker alone, of a core, ${where}`, median(series(rounds[side], 'workerPercent')), 1, '%'),
  ]
}

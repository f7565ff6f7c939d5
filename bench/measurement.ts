import type { Figures, PoolName } from './side.ts'

/**
 * Who is measured, in the order of the results page: ourselves on the embedded default and on Redis, the peers, both on Redis, and the
 * least that a worker of ours on Redis would have to do.
 */
export const SIDES = ['celeriac', 'celeriac-redis', 'bullmq', 'celery', 'bare'] as const
export type SideName = (typeof SIDES)[number]

/** One thing that is measured: which processes to run, and how to read what they print. */
export interface Measurement {
  /** What `--only` takes. */
  readonly name: string
  readonly title: string
  /** File in `sides/` for each who takes part. */
  readonly sides: Readonly<Partial<Record<SideName, string>>>
  /** How many tasks a worker runs at once; 1 where it does not matter. */
  readonly concurrency: number
  /** Which pool our own workers use; `async` unless given. */
  readonly pool?: PoolName
  /** For a measurement too long to repeat as often as the others. */
  readonly mostRounds?: number
  /** Reads the rounds of all sides; a side that did not run has no rounds. */
  readonly rows: (rounds: Rounds) => Row[]
  /** What was tried and what limits the figure, for the results page. */
  readonly boundedBy: string
}

/** The figures of each round, in order, by side. */
export type Rounds = Readonly<Record<SideName, readonly Figures[]>>

/** One line of the printed table. */
export interface Row {
  readonly what: string
  readonly ours: string
  readonly peer: string
  /** Ours by the peer's, with the peer's name. */
  readonly ratio: string
  readonly target: string
  /** Undefined when the side that decides did not run. */
  readonly met: boolean | undefined
}

/** The figure `name` of every round. */
export function series(rounds: readonly Figures[], name: string): number[] {
  return rounds.map((figures) => figures[name] ?? Number.NaN)
}

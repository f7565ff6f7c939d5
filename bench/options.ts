import { parseArgs } from 'node:util'
import { type Measurement, type SideName, SIDES } from './measurement.ts'

/** What to run. */
export interface BenchOptions {
  readonly measurements: readonly Measurement[]
  readonly sides: readonly SideName[]
  readonly rounds: number
  readonly tasks: number
}

/**
 * Reads `--only=enqueue,round-trip`, `--sides=celeriac-redis,bullmq`, `--rounds=3` and `--tasks=20000`.
 *
 * @throws Error that names the known values when an option's value is not one of them.
 */
export function parseOptions(args: readonly string[], all: readonly Measurement[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string' }, sides: { type: 'string' }, rounds: { type: 'string' }, tasks: { type: 'string' } },
  })
  const chosen = choose('--only', values.only, all.map((measurement) => measurement.name))
  return {
    measurements: all.filter((measurement) => chosen.includes(measurement.name)),
    sides: choose('--sides', values.sides, SIDES),
    rounds: positive('--rounds', values.rounds, 5),
    tasks: positive('--tasks', values.tasks, 20_000),
  }
}

function choose<T extends string>(option: string, text: string | undefined, known: readonly T[]): readonly T[] {
  if (text === undefined) return known
  return text.split(',').map((name) => {
    const match = known.find((candidate) => candidate === name.trim())
    if (match === undefined) throw new Error(`${option} takes ${known.join(', ')}; "${name}" is none of them.`)
    return match
  })
}

function positive(option: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${option} takes a whole number from 1 on; "${text}" is none.`)
  return value
}

import type { Figures } from './side.ts'
import { percentile } from './statistics.ts'

/** How many trips get everything warm, and how many are counted. */
export const WARM_UP = 50
export const TRIPS = 500

/** Times `trip`, from submitting to having the result, one after another on an otherwise idle machine. */
export async function roundTripFigures(trip: (i: number) => Promise<unknown>): Promise<Figures> {
  const elapsedMs: number[] = []
  for (let i = 0; i < WARM_UP + TRIPS; i++) {
    const startMs = performance.now()
    const sum = await trip(i)
    elapsedMs.push(performance.now() - startMs)
    if (sum !== i + 1) throw new Error(`add(${i}, 1) was expected to give ${i + 1}; it gave ${String(sum)}.`)
  }
  return summarise(elapsedMs)
}

/** The figures of these trips, those of the warm-up among them. */
export function summarise(elapsedMs: readonly number[]): Figures {
  const measured = elapsedMs.slice(WARM_UP)
  return { p50Ms: percentile(measured, 0.5), p99Ms: percentile(measured, 0.99), maxMs: percentile(measured, 1) }
}

import type { Figures } from './side.ts'
import { percentile } from './statistics.ts'

/** How many trips go before, how many are then counted, and how many more once all code is compiled. */
const WARM_UP = 50
const TRIPS = 500
const WARM_FROM = 1_000
const WARM_TRIPS = 1_000

/** How many trips {@link summarise} takes. */
export const ALL_TRIPS = WARM_FROM + WARM_TRIPS

/** Times `trip`, from submitting to having the result, one after another on an otherwise idle machine. */
export async function roundTripFigures(trip: (i: number) => Promise<unknown>): Promise<Figures> {
  const elapsedMs: number[] = []
  for (let i = 0; i < ALL_TRIPS; i++) {
    const startMs = performance.now()
    const sum = await trip(i)
    elapsedMs.push(performance.now() - startMs)
    if (sum !== i + 1) throw new Error(`add(${i}, 1) was expected to give ${i + 1}; it gave ${String(sum)}.`)
  }
  return summarise(elapsedMs)
}

/** The figures of these trips, the first of which count for nothing. */
export function summarise(elapsedMs: readonly number[]): Figures {
  const early = elapsedMs.slice(WARM_UP, WARM_UP + TRIPS)
  const warm = elapsedMs.slice(WARM_FROM)
  return {
    p50Ms: percentile(early, 0.5),
    p99Ms: percentile(early, 0.99),
    maxMs: percentile(early, 1),
    p50MsWarm: percentile(warm, 0.5),
    p99MsWarm: percentile(warm, 0.99),
  }
}

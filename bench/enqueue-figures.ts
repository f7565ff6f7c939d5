import { type Figures, submitMany, timed } from './side.ts'

/** How many submissions are awaited together; each side counts with the one that suits it best. */
const IN_FLIGHT = [200, 2_000, 20_000]

/** Enqueues `tasks` tasks for each number in flight, after a warm-up, and gives the best speed and each. */
export async function enqueueFigures(tasks: number, submit: (i: number) => Promise<unknown>): Promise<Figures> {
  await submitMany(tasks / 10, 200, submit)
  const speeds: [name: string, perSecond: number][] = []
  for (const inFlight of IN_FLIGHT) {
    const elapsedMs = await timed(() => submitMany(tasks, inFlight, submit))
    speeds.push([`perSecondWith${inFlight}InFlight`, (tasks / elapsedMs) * 1000])
  }
  return { perSecond: Math.max(...speeds.map(([, perSecond]) => perSecond)), ...Object.fromEntries(speeds) }
}

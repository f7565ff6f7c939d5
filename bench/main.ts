import { writeFile } from 'node:fs/promises'
import { buildProblem } from './celeriac.ts'
import { celeryVersion } from './celery.ts'
import { describeMachine } from './machine.ts'
import { type Measurement, type SideName, SIDES } from './measurement.ts'
import { coldStart } from './measurements/cold-start.ts'
import { depth, memory } from './measurements/depth.ts'
import { encoding } from './measurements/encoding.ts'
import { enqueue } from './measurements/enqueue.ts'
import { idle } from './measurements/idle.ts'
import { roundTrip } from './measurements/round-trip.ts'
import { oneAtATime, prefork, run } from './measurements/run.ts'
import { web } from './measurements/web.ts'
import { type BenchOptions, parseOptions } from './options.ts'
import { descendants, signalAll } from './process-tree.ts'
import { RedisServer } from './redis-server.ts'
import { formatPage, formatTable, type Outcome } from './report.ts'
import { runSide } from './run-side.ts'
import type { Figures } from './side.ts'

const ALL = [enqueue, run, oneAtATime, prefork, roundTrip, coldStart, depth, memory, encoding, web, idle]

const RESULTS = new URL('RESULTS.md', import.meta.url)

const celery = celeryVersion()
const options = readOptions()

// Whatever ends the run takes every process of it along; a stopped worker would not follow by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    signalAll(descendants(process.pid), 'SIGKILL')
    process.exit(1)
  })
}

const redis = needsRedis(options) ? await RedisServer.start() : undefined
try {
  const outcomes: Outcome[] = []
  for (const measurement of options.measurements) outcomes.push(await measure(measurement, options, redis))
  console.log(`\n${formatTable(outcomes)}\n`)

  const complete = options.measurements.length === ALL.length && options.sides.length === SIDES.length
  if (complete) await writeFile(RESULTS, formatPage(describeMachine({ redis: redis?.version, celery }), outcomes))
  console.log(complete ? 'Written to bench/RESULTS.md.' : 'bench/RESULTS.md is left as it was: only a full run replaces it.')
  if (outcomes.some((outcome) => outcome.failure !== undefined)) process.exitCode = 1
} finally {
  await redis?.stop()
}

/** The options, or the end of the process with one line that says what is wrong. */
function readOptions(): BenchOptions {
  try {
    const read = parseOptions(process.argv.slice(2), ALL)
    const problem = read.sides.some((side) => side.startsWith('celeriac')) ? buildProblem() : undefined
    if (problem !== undefined) throw new Error(problem)
    if (celery !== undefined || !read.sides.includes('celery')) return read
    console.error('Celery is left out: /usr/bin/python3 has none. Install it ("apt-get install python3-celery python3-redis").')
    return { ...read, sides: read.sides.filter((side) => side !== 'celery') }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(2)
  }
}

function needsRedis({ sides, measurements }: BenchOptions): boolean {
  return sides.some((side) => usesRedis(side) && measurements.some((measurement) => measurement.sides[side] !== undefined))
}

function usesRedis(side: SideName): boolean {
  return side !== 'celeriac'
}

/** Runs the rounds of one measurement, the sides taking turns at being first. A failing side ends it, not the run. */
async function measure(measurement: Measurement, settings: BenchOptions, server: RedisServer | undefined): Promise<Outcome> {
  const { sides, rounds, tasks } = settings
  const { concurrency, pool = 'async' } = measurement
  const found: Record<SideName, Figures[]> = { celeriac: [], 'celeriac-redis': [], bullmq: [], celery: [], bare: [] }
  try {
    for (let round = 1; round <= Math.min(rounds, measurement.mostRounds ?? rounds); round++) {
      for (const side of round % 2 === 1 ? sides : sides.toReversed()) {
        const file = measurement.sides[side]
        if (file === undefined) continue
        await server?.flush()
        const redisPort = usesRedis(side) ? (server?.port ?? 0) : 0
        const figures = await runSide(file, { tasks, redisPort, concurrency, pool })
        found[side].push(figures)
        console.log(`${measurement.name} ${round} ${side}: ${JSON.stringify(figures)}`)
      }
    }
    return { measurement, rounds: found, failure: undefined }
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error)
    console.error(`${measurement.name}: ${failure}`)
    return { measurement, rounds: found, failure }
  }
}

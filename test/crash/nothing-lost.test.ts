import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

import { descendants, environment, gone, newFolder, startWeb, until, type WebProcess } from '../services/web-process.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { journalled } from './journal.ts'
import { type Kills, killAtRandom } from './killer.ts'

const TASKS = 5_000
const KILLING_MS = 8_000
/** What is left may take so long once the killing has stopped. */
const FINISH_MS = 60_000

const WEB = fileURLToPath(new URL('fixtures/web.ts', import.meta.url))
const VERIFY = fileURLToPath(new URL('fixtures/verify.ts', import.meta.url))

/** The seeds of a run follow from the first; the environment repeats one. */
const FIRST_SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000)
const SEEDS = Array.from({ length: 10 }, (_, index) => FIRST_SEED + index)
const PAIRS = Array.from({ length: 5 }, (_, index): [number, number] => [SEEDS[2 * index] as number, SEEDS[2 * index + 1] as number])

failOnLeftovers()

test.for(PAIRS)('every accepted task runs, whatever is killed (seeds %i and %i)', { timeout: 2 * FINISH_MS + KILLING_MS }, async (seeds) => {
  const reports = await Promise.all(seeds.map((seed) => surviveKilling(seed)))

  for (const { seed, kills, ids, done, verdict } of reports) {
    const runs = done.length - new Set(done).size
    const killed = `${kills.web} web processes, ${kills.worker} workers, ${kills.child} pool children`
    console.log(`seed ${seed}: killed ${killed}; ${ids.length} accepted, ${runs} runs repeated`)
    const ran = new Set(done)
    expect(ids.filter((id) => !ran.has(id)), `accepted but never run, seed ${seed}`).toEqual([])
    expect(verdict, `results, seed ${seed}`).toEqual({ states: { SUCCESS: TASKS }, reasons: [], dead: 0, depth: { ready: 0, unacked: 0, parked: 0, dead: 0 } })
  }
})

interface Report {
  readonly seed: number
  readonly kills: Kills
  /** Accepted tasks. */
  readonly ids: readonly string[]
  /** The id of each run. */
  readonly done: readonly string[]
  readonly verdict: unknown
}

async function surviveKilling(seed: number): Promise<Report> {
  const folder = newFolder()
  const pool = seed % 2 === 0 ? { CELERY_WORKER_CONCURRENCY: '2' } : { CELERY_WORKER_POOL: 'async', CELERY_WORKER_CONCURRENCY: '8' }
  const env = environment(folder, pool)
  const keeper = new Keeper(() => startWeb([WEB, folder, String(TASKS)], env))
  try {
    const temper = Math.floor(seed / 2) % 2 === 0 ? 'relentless' : 'patient'
    const progress = (): number => sizeOf(join(folder, 'done'))
    const kills = await killAtRandom({ seed, temper, untilMs: Date.now() + KILLING_MS, webPid: () => keeper.pid, progress })
    const missing = (): string => `${unrun(folder)} tasks of seed ${seed}, with this output:\n${keeper.output()}`
    await until(() => unrun(folder) === 0 || undefined, missing, FINISH_MS)
    const verdict = await verdictOn(folder, env)
    return { seed, kills, ids: journalled(join(folder, 'accepted')), done: journalled(join(folder, 'done')), verdict }
  } finally {
    await keeper.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** How many of all tasks are not accepted yet, or accepted but not run. */
function unrun(folder: string): number {
  const ran = new Set(journalled(join(folder, 'done')))
  return TASKS - journalled(join(folder, 'accepted')).filter((id) => ran.has(id)).length
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

async function verdictOn(folder: string, env: NodeJS.ProcessEnv): Promise<unknown> {
  const verify = startWeb([VERIFY, folder], env)
  const [, states = ''] = await verify.says(/^states (.*)$/m, 30_000)
  await verify.ended
  return JSON.parse(states)
}

/** Starts the web process again whenever it ends, as a service manager does. */
class Keeper {
  readonly #start: () => WebProcess
  readonly #outputs: string[] = []
  #web: WebProcess
  #ending = false

  constructor(start: () => WebProcess) {
    this.#start = start
    this.#web = this.#watched()
  }

  get pid(): number {
    return this.#web.pid
  }

  /** What the latest processes said. */
  output(): string {
    return [...this.#outputs, this.#web.output()].slice(-5).join('---\n')
  }

  async end(): Promise<void> {
    this.#ending = true
    const family = descendants(this.pid)
    this.#web.child.kill('SIGTERM')
    await this.#web.ended
    await gone(family, 5_000)
  }

  #watched(): WebProcess {
    const web = this.#start()
    void web.ended.then(() => {
      if (this.#ending) return
      this.#outputs.push(web.output())
      this.#web = this.#watched()
    })
    return web
  }
}

import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

import { environment, newFolder, startWeb } from '../services/web-process.ts'
import { journalled } from './journal.ts'
import { Keeper } from './keeper.ts'
import type { KillingOptions } from './killer.ts'
import type { Kills } from './victims.ts'

const TASKS = 5_000
const KILLING_MS = 8_000
/** What is left may take so long once the killing has stopped. */
const FINISH_MS = 60_000
/** All web processes together submit so often, which takes them most of the killing. */
const BATCH_EVERY_MS = 30

/** By chance a killer hits one task as often as the default allows. That it is given up then is not what is looked at here. */
export const HIT_OFTEN: NodeJS.ProcessEnv = { CELERY_TASK_MAX_DELIVERIES: '20' }

const WEB = fileURLToPath(new URL('fixtures/web.ts', import.meta.url))
const VERIFY = fileURLToPath(new URL('fixtures/verify.ts', import.meta.url))

/** How long a test of one application may take. */
export const TRIAL_TIMEOUT_MS = KILLING_MS + 3 * FINISH_MS

/** The seeds of a file follow from the first; the environment repeats one. */
export function seeds(count: number): number[] {
  const first = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000)
  return Array.from({ length: count }, (_, index) => first + index)
}

/** How an application is deployed, and how it is killed. */
export interface Trial {
  readonly seed: number
  /** How many web processes there are. */
  readonly webs: number
  readonly kill: (options: KillingOptions & { readonly progress: () => number }) => Promise<Kills>
}

/** What is left when the killing is over and everything has come to rest. */
export interface Report {
  readonly seed: number
  readonly kills: Kills
  /** Accepted tasks. */
  readonly ids: readonly string[]
  /** The id of each run. */
  readonly done: readonly string[]
  /** What became of the futures that the living web processes had obtained. */
  readonly futures: Futures
  /** What a process says that knows nothing but the ids. */
  readonly verdict: unknown
}

interface Futures {
  readonly resolved: number
  readonly rejected: number
  readonly reasons: readonly string[]
}

/** Runs an application whose processes are killed all the time, and then waits until nothing is left to do. */
export async function surviveKilling({ seed, webs, kill }: Trial): Promise<Report> {
  const folder = newFolder()
  const pool = seed % 2 === 0 ? { CELERY_WORKER_CONCURRENCY: '2' } : { CELERY_WORKER_POOL: 'async', CELERY_WORKER_CONCURRENCY: '8' }
  const env = environment(folder, { ...pool, ...HIT_OFTEN })
  const args = [WEB, folder, String(TASKS), String(BATCH_EVERY_MS * webs)]
  const keepers = Array.from({ length: webs }, () => new Keeper(() => startWeb(args, env)))
  try {
    const progress = (): number => sizeOf(join(folder, 'done'))
    const kills = await kill({ seed, forMs: KILLING_MS, webPids: () => keepers.map(({ pid }) => pid), progress })
    console.log(`seed ${seed}: killed ${kills.web} web processes, ${kills.worker} workers, ${kills.child} pool children`)
    const futures = together(await Promise.all(keepers.map(futuresOf)))
    const verdict = await verdictOn(folder, env)
    return { seed, kills, ids: journalled(join(folder, 'accepted')), done: journalled(join(folder, 'done')), futures, verdict }
  } finally {
    await Promise.all(keepers.map((keeper) => keeper.end()))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Every accepted task has run, every future has resolved, and nothing is left over. Prints how many runs were repeats. */
export function expectNothingLost({ seed, ids, done, futures, verdict }: Report): void {
  const ran = new Set(done)
  console.log(`seed ${seed}: ${ids.length} accepted, ${futures.resolved} futures resolved where they were obtained, ${done.length - ran.size} runs repeated`)
  expect(ids.length, `accepted, seed ${seed}`).toBeGreaterThanOrEqual(TASKS)
  expect(futures.resolved, `resolved futures, seed ${seed}`).toBeGreaterThan(0)
  // Together: what became of an id that is missing is half of its story.
  expect({ missing: ids.filter((id) => !ran.has(id)), rejected: futures.rejected, reasons: futures.reasons, verdict }, `seed ${seed}`).toEqual({
    missing: [],
    rejected: 0,
    reasons: [],
    verdict: { states: { SUCCESS: ids.length }, reasons: [], dead: 0, depth: { ready: 0, unacked: 0, parked: 0, dead: 0 } },
  })
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

async function futuresOf(keeper: Keeper): Promise<Futures> {
  const [, line = ''] = await keeper.says(/^futures (.*)$/m, FINISH_MS)
  return JSON.parse(line) as Futures
}

function together(all: readonly Futures[]): Futures {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)
  return {
    resolved: sum(all.map(({ resolved }) => resolved)),
    rejected: sum(all.map(({ rejected }) => rejected)),
    reasons: all.flatMap(({ reasons }) => reasons),
  }
}

/** What a process says of the accepted tasks that knows nothing but their ids. */
export async function verdictOn(folder: string, env: NodeJS.ProcessEnv): Promise<unknown> {
  const verify = startWeb([VERIFY, folder], env)
  const [, states = ''] = await verify.says(/^states (.*)$/m, FINISH_MS)
  await verify.ended
  return JSON.parse(states)
}

import { setTimeout as pause } from 'node:timers/promises'

import { descendants } from '../services/web-process.ts'

/** How often something dies. */
const EVERY_MS = 150

/**
 * Of forty kills, how many hit a pool child and a worker. The rest hit the web process, and with it all the others.
 * A `relentless` killer hits whatever it drew as soon as it is there, so that little gets beyond its start; a `patient`
 * one draws and waits so that there is mostly work under way.
 */
const ODDS = { relentless: { child: 14, worker: 13 }, patient: { child: 27, worker: 9 } }

/** How many of each kind were killed. */
export interface Kills {
  web: number
  worker: number
  child: number
}

/** What {@link killAtRandom} is told. */
export interface KillingOptions {
  readonly seed: number
  /** `patient`: half of the kills wait until the work has come further; `relentless`: none waits for anything. */
  readonly temper: keyof typeof ODDS
  readonly untilMs: number
  /** Asked each time: the web process is started again. */
  readonly webPid: () => number
  /** How far the work has come. */
  readonly progress: () => number
}

/** Kills one process of the application every 150 ms, or as soon after that as there is one of the kind that is drawn. */
export async function killAtRandom({ seed, temper, untilMs, webPid, progress }: KillingOptions): Promise<Kills> {
  const random = generator(seed)
  const kills: Kills = { web: 0, worker: 0, child: 0 }
  while (Date.now() < untilMs) {
    const draw = Math.floor(random() * 40)
    const { child, worker } = ODDS[temper]
    const kind = draw < child ? 'child' : draw < child + worker ? 'worker' : 'web'
    const goal = temper === 'patient' && random() < 0.5 ? progress() + 1 : 0
    await pause(EVERY_MS)
    while (Date.now() < untilMs && (progress() < goal || pidsOf(kind, webPid()).length === 0)) await pause(5)
    const victims = pidsOf(kind, webPid())
    const victim = victims[Math.floor(random() * victims.length)]
    if (victim !== undefined && kill(victim)) kills[kind]++
  }
  return kills
}

function pidsOf(kind: keyof Kills, webPid: number): number[] {
  if (kind === 'web') return [webPid]
  const entry = kind === 'worker' ? /services\/worker-main/ : /worker\/child/
  return descendants(webPid).filter(({ command }) => entry.test(command)).map(({ pid }) => pid)
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
    return false
  }
}

/** Mulberry32: the same numbers for the same seed. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

import { setTimeout as pause } from 'node:timers/promises'

import { type SeenProcess, until } from '../services/web-process.ts'
import { hasChildren, KINDS, type Kills, Victims } from './victims.ts'

/** How often something dies. */
const EVERY_MS = 150

/** A web process takes its workers with it, and a worker its children, so that these are rarer: like this each kind is hit about equally often. */
const WEIGHTS = { web: 1, worker: 2, child: 4 }

/** The part of the kills that are to hit children, also where a child takes many ticks to start. */
const CHILD_SHARE = 0.2

/**
 * Of forty kills, how many hit a pool child and a worker. The rest hit the web process, and with it all the others.
 * A `relentless` killer hits whatever it drew as soon as it is there, so that little gets beyond its start; a `patient`
 * one draws and waits so that there is mostly work under way.
 */
const ODDS = { relentless: { child: 14, worker: 13 }, patient: { child: 27, worker: 9 } }

/** What every killer is told. */
export interface KillingOptions {
  readonly seed: number
  readonly forMs: number
  /** Asked each time: web processes are started again. */
  readonly webPids: () => readonly number[]
}

/** What {@link killWhenThere} is told besides. */
export interface WaitingOptions extends KillingOptions {
  /** `patient`: half of the kills wait until the work has come further; `relentless`: none waits for anything. */
  readonly temper: keyof typeof ODDS
  /** How far the work has come. */
  readonly progress: () => number
}

/** Kills one process at each tick of 150 ms, of a kind that is drawn from those that live at that moment. */
export async function killAtEveryTick({ seed, forMs, webPids }: KillingOptions): Promise<Kills> {
  const random = generator(seed)
  const victims = new Victims(webPids)
  const startMs = performance.now()
  for (let tickMs = EVERY_MS; tickMs <= forMs; tickMs += EVERY_MS) {
    // From the start, so that a late tick does not delay the next ones.
    await pause(Math.max(0, startMs + tickMs - performance.now()))
    // Drawn again when the victim has just ended by itself.
    await until(() => killOne(victims, random) || undefined, () => 'a process to kill', 5_000)
  }
  await victims.gone()
  return victims.kills
}

/** Kills one process every 150 ms, or as soon after that as there is one of the kind that is drawn. */
export async function killWhenThere({ seed, forMs, webPids, temper, progress }: WaitingOptions): Promise<Kills> {
  const random = generator(seed)
  const victims = new Victims(webPids)
  const untilMs = performance.now() + forMs
  while (performance.now() < untilMs) {
    const draw = Math.floor(random() * 40)
    const { child, worker } = ODDS[temper]
    const kind = draw < child ? 'child' : draw < child + worker ? 'worker' : 'web'
    const goal = temper === 'patient' && random() < 0.5 ? progress() + 1 : 0
    await pause(EVERY_MS)
    while (performance.now() < untilMs && (progress() < goal || !victims.kill(kind, oneOf(victims.living()[kind], random)))) await pause(5)
  }
  await victims.gone()
  return victims.kills
}

function killOne(victims: Victims, random: () => number): boolean {
  const living = victims.living()
  if (living.child.length === 0 && wantsChildren(victims.kills)) return victims.kill('web', youngestIdle(living.web))
  const lots = KINDS.filter((kind) => living[kind].length > 0).flatMap((kind) => Array.from({ length: WEIGHTS[kind] }, () => kind))
  const kind = oneOf(lots, random)
  return kind !== undefined && victims.kill(kind, oneOf(living[kind], random))
}

function wantsChildren({ web, worker, child }: Kills): boolean {
  return child < CHILD_SHARE * (web + worker + child)
}

/** The web process without workers that started last: what the others have begun comes to have children. */
function youngestIdle(web: readonly SeenProcess[]): SeenProcess | undefined {
  return web.filter((one) => !hasChildren(one)).toSorted((a, b) => Number(b.started) - Number(a.started))[0]
}

/** One of them, undefined when there is none. */
export function oneOf<T>(choices: readonly T[], random: () => number): T | undefined {
  return choices[Math.floor(random() * choices.length)]
}

/** Mulberry32: the same numbers for the same seed. */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

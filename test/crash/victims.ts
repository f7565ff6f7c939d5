import { readFileSync } from 'node:fs'

import { isGone, startTimeOf } from '../../src/internal/process-identity.ts'
import { gone, type SeenProcess } from '../services/web-process.ts'

export const KINDS = ['web', 'worker', 'child'] as const

/** A web process, a worker, or a pool child. */
export type Kind = (typeof KINDS)[number]

/** How many of each kind were killed. */
export type Kills = Record<Kind, number>

/** The processes of an application that may be killed, and those that were. */
export class Victims {
  readonly kills: Kills = { web: 0, worker: 0, child: 0 }
  readonly #webPids: () => readonly number[]
  readonly #workerPids: () => readonly number[]
  readonly #killed: SeenProcess[] = []

  /** Both are asked each time, as these processes are started again. `workerPids` are those that no web process started. */
  constructor(webPids: () => readonly number[], workerPids: () => readonly number[] = () => []) {
    this.#webPids = webPids
    this.#workerPids = workerPids
  }

  /** Those alive now. Web processes start nothing but workers, and workers nothing but pool children. */
  living(): Record<Kind, SeenProcess[]> {
    const web = this.#webPids()
    const worker = [...web.flatMap(childrenOf), ...this.#workerPids()]
    const child = worker.flatMap(childrenOf)
    return { web: this.#alive('web', web), worker: this.#alive('worker', worker), child: this.#alive('child', child) }
  }

  /** Kills one; false when there is none, or it has just ended by itself. */
  kill(kind: Kind, victim: SeenProcess | undefined): boolean {
    if (victim === undefined) return false
    try {
      process.kill(victim.pid, 'SIGKILL')
    } catch {
      return false
    }
    this.kills[kind]++
    this.#killed.push(victim)
    return true
  }

  /** Resolves when everything that was killed has ended. */
  gone(): Promise<void> {
    return gone(this.#killed, 5_000)
  }

  /** Without those killed before: a signal may need a while to end its process. */
  #alive(kind: Kind, pids: readonly number[]): SeenProcess[] {
    return pids
      .map((pid) => ({ pid, started: startTimeOf(pid), command: kind }))
      .filter(({ pid, started }) => !isGone(pid, started) && !this.#killed.some((one) => one.pid === pid && one.started === started))
  }
}

/** Whether a process has started another that lives. */
export function hasChildren({ pid }: SeenProcess): boolean {
  return childrenOf(pid).length > 0
}

/** One small file for each process: reading all of `/proc` would make the next kill late. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter((child) => child !== '').map(Number)
  } catch {
    // It ended meanwhile.
    return []
  }
}

import type { Clock } from '../internal/clock.ts'
import type { Pool, PoolListener } from '../pool.ts'
import type { ChildInit } from './pipe.ts'
import { ProcessPool } from './process-pool.ts'
import { type ExecuteHere, SoloPool } from './solo-pool.ts'

/** What {@link openPool} needs, whichever pool it makes. */
export interface OpenPoolOptions {
  /** How many tasks run at once; `solo` always runs one. */
  readonly concurrency: number
  /** How many more tasks may wait in the process of an `async` pool. */
  readonly ahead: number
  /** Module that a pool process runs. */
  readonly entry: string
  readonly init: ChildInit
  readonly execArgv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly listener: PoolListener
  /** How a task runs inside this process, for `solo`; made only when needed. */
  readonly executeHere: () => Promise<ExecuteHere>
}

/** Makes the pool of that name. */
export async function openPool(kind: 'prefork' | 'async' | 'solo', options: OpenPoolOptions): Promise<Pool> {
  if (kind === 'solo') return new SoloPool(await options.executeHere(), options.clock)
  const { concurrency, ahead, ...rest } = options
  return kind === 'async'
    ? new ProcessPool({ ...rest, children: 1, slots: concurrency, ahead })
    : new ProcessPool({ ...rest, children: concurrency, slots: 1, ahead: 0 })
}

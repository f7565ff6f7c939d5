import { availableParallelism } from 'node:os'

import type { Pool } from '../pool.ts'
import { CarefulPool } from './careful-pool.ts'
import { ProcessPool, type ProcessPoolOptions } from './process-pool.ts'
import { type ExecuteHere, SoloPool } from './solo-pool.ts'

/** What {@link openPool} needs, whichever pool it makes. */
export interface OpenPoolOptions extends Omit<ProcessPoolOptions, 'children' | 'slots'> {
  /** How many tasks run at once; `solo` always runs one. */
  readonly concurrency: number
  /** How a task runs inside this process, for `solo`; made only when needed. */
  readonly executeHere: () => Promise<ExecuteHere>
}

/** Makes the pool of that name. What waits ahead of the slots is shared between the processes. */
export async function openPool(kind: 'prefork' | 'async' | 'solo', options: OpenPoolOptions): Promise<Pool> {
  const { concurrency, executeHere, ...rest } = options
  if (kind === 'solo') return new SoloPool(await executeHere(), options.clock)
  const prefork = (children: number, ahead: number): Pool => new ProcessPool({ ...rest, children, slots: 1, ahead })
  if (kind === 'prefork') return prefork(concurrency, Math.floor(rest.ahead / concurrency))
  const main = new ProcessPool({ ...rest, children: 1, slots: concurrency })
  return new CarefulPool(main, () => prefork(Math.min(concurrency, availableParallelism()), 0), (message) => rest.listener.onWarning(message))
}

import { fileURLToPath } from 'node:url'

import { type Clock, systemClock } from '../../src/internal/clock.ts'
import type { Execution, PoolListener } from '../../src/pool.ts'
import { ProcessPool } from '../../src/pools/process-pool.ts'

/** What a pool told its worker. */
export interface Told {
  readonly states: [string, string, string][]
  readonly warnings: string[]
}

/** Of which a test pool is made; `app` names a file that keeps its processes from starting while it is there. */
export interface TestPoolOptions {
  readonly children: number
  readonly slots: number
  readonly ahead?: number
  readonly app?: string
  readonly env?: NodeJS.ProcessEnv
  readonly clock?: Clock
}

/** A pool of test processes. */
export function testPool(options: TestPoolOptions): { pool: ProcessPool; told: Told } {
  const told: Told = { states: [], warnings: [] }
  const listener: PoolListener = {
    onState: (id, state, text) => void told.states.push([id, state, text]),
    onProcesses: () => {},
    onWarning: (message) => void told.warnings.push(message),
  }
  const pool = new ProcessPool({
    children: options.children,
    slots: options.slots,
    ahead: options.ahead ?? 0,
    entry: fileURLToPath(new URL('fixtures/child.ts', import.meta.url)),
    init: { root: '/', app: options.app, conf: {}, hostname: 'worker@test' },
    execArgv: [],
    env: options.env ?? process.env,
    clock: options.clock ?? systemClock,
    listener,
  })
  return { pool, told }
}

/** A task that does what its body says. */
export function execution(id: string, body: string): Execution {
  return { id, message: { body, contentType: 'text/plain', contentEncoding: 'utf-8', headers: {} }, queue: 'celery', redelivered: false }
}

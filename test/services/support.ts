import { randomUUID } from 'node:crypto'

import { type Broker } from '../../src/broker.ts'
import { openBroker } from '../../src/brokers/open.ts'
import type { Clock } from '../../src/internal/clock.ts'
import { type Logger, silentLogger } from '../../src/internal/logger.ts'
import type { WorkerPlan } from '../../src/services/plan.ts'
import type { WorkerExit, WorkerProcess } from '../../src/services/worker-process.ts'

/** A broker of its own within this process. */
export async function memoryBroker(clock: Clock): Promise<Broker> {
  const broker = openBroker(`memory://${randomUUID()}`, {
    root: '/',
    clock,
    logger: silentLogger,
    connectionTimeoutMs: 1_000,
    visibilityTimeoutMs: 10_000,
    synchronous: 'normal',
    allowNetworkFileSystem: false,
    maxMessageSize: 1_000_000,
  })
  await broker.connect()
  return broker
}

export function planOf(nodeName: string): WorkerPlan {
  return { nodeName, queues: ['celery'], concurrency: 1, pool: 'prefork', logLevel: 'info', pidfile: undefined, logFile: `/logs/${nodeName}.log` }
}

/** A process that does what the test says. */
export class FakeProcess implements WorkerProcess {
  readonly nodeName: string
  readonly #ready = Promise.withResolvers<void>()
  readonly #exited = Promise.withResolvers<WorkerExit>()
  pid: number | undefined
  stopGraceMs: number | undefined
  #onStop: (() => Promise<void>) | undefined

  constructor(nodeName: string) {
    this.nodeName = nodeName
  }

  start(): void {
    this.pid = 4_000_000
  }

  ready(): Promise<void> {
    return this.#ready.promise
  }

  exited(): Promise<WorkerExit> {
    return this.#exited.promise
  }

  log(): string {
    return `log of ${this.nodeName}`
  }

  async stop(graceMs: number): Promise<void> {
    this.stopGraceMs = graceMs
    await this.#onStop?.()
    this.end('exited with code 0')
  }

  becomeReady(): void {
    this.#ready.resolve()
  }

  end(detail: string): void {
    this.pid = undefined
    this.#exited.resolve({ detail, log: this.log() })
  }

  onStop(callback: () => Promise<void>): void {
    this.#onStop = callback
  }
}

/** A logger that keeps what it is told. */
export class KeptLog implements Logger {
  readonly lines: string[] = []

  debug(): void {}

  info(_fields: object, message: string): void {
    this.lines.push(`info ${message}`)
  }

  warn(_fields: object, message: string): void {
    this.lines.push(`warn ${message}`)
  }

  error(_fields: object, message: string): void {
    this.lines.push(`error ${message}`)
  }

  child(): Logger {
    return this
  }
}

import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'

import type { LocalServices, ServiceInfo, ServicesContext } from '../app.ts'
import { ClosedError, ImproperlyConfigured } from '../errors.ts'
import { isServiceProcess } from '../internal/child-environment.ts'
import { planWorkers } from './plan.ts'
import { ServiceProcess } from './service-process.ts'
import { WorkerCluster } from './worker-cluster.ts'

/** What {@link localServices} are made from. */
export interface LocalServicesContext extends ServicesContext {
  /** Path of the module that a worker process runs; ours by default. */
  readonly workerEntry?: string
}

/** The workers that the configuration names, as children of this process. */
export function localServices(context: LocalServicesContext): LocalServices {
  return new LocalWorkers(context)
}

class LocalWorkers implements LocalServices {
  readonly #context: LocalServicesContext
  #isEnsured = false
  #cluster: WorkerCluster | undefined
  #stopping: Promise<void> | undefined
  #fault: Error | undefined

  constructor(context: LocalServicesContext) {
    this.#context = context
  }

  get processes(): readonly ServiceInfo[] {
    return this.#cluster?.processes ?? []
  }

  get fault(): Error | undefined {
    return this.#fault
  }

  get logs(): readonly string[] {
    return planWorkers(this.#context.conf).map(({ logFile }) => logFile).filter((path) => existsSync(path))
  }

  ensure(): void {
    if (this.#isEnsured) return
    this.#isEnsured = true
    if (this.#isWanted()) void this.#startInBackground()
    else if (this.#isPossible()) this.#sayWhyNot()
  }

  async start(options?: { timeoutMs?: number }): Promise<void> {
    this.#isEnsured = true
    if (!this.#isPossible()) return
    await this.#stopping
    const isRunning = this.#cluster !== undefined
    try {
      await this.#run().ready(options?.timeoutMs ?? this.#context.conf.startTimeout * 1000, { keepAlive: true })
    } catch (error) {
      this.#remember(error)
      // What a submit has started goes on trying: its tasks wait for it.
      if (isRunning) throw error
      await this.stop({ timeoutMs: 0 })
      // Unless it was stopped on purpose, a later submit may find that the cause has gone.
      this.#isEnsured = error instanceof ClosedError
      throw error
    }
  }

  stop(options?: { timeoutMs?: number }): Promise<void> {
    this.#stopping ??= this.#stop(options?.timeoutMs ?? this.#softTimeoutMs()).finally(() => (this.#stopping = undefined))
    return this.#stopping
  }

  async #stop(graceMs: number): Promise<void> {
    const cluster = this.#cluster
    if (cluster === undefined) return
    await cluster.stop(graceMs)
    this.#cluster = undefined
  }

  /** Nobody has decided it, and whoever waits for a result might wait for ever. */
  #sayWhyNot(): void {
    const { conf, logger } = this.#context
    if (conf.origin('startLocalWorkers') !== 'default') return
    logger.warn({}, 'Starting no local workers, because NODE_ENV is "production" and the broker is a server: run "celeriac worker"; "startLocalWorkers" decides')
  }

  /** Whether a submit starts them; who calls `start` has decided for themselves. */
  #isWanted(): boolean {
    return this.#context.conf.startLocalWorkers && this.#isPossible()
  }

  /** Workers that a task or a worker started would start workers in turn, without end. */
  #isPossible(): boolean {
    return !this.#context.conf.taskAlwaysEager && !isServiceProcess()
  }

  async #startInBackground(): Promise<void> {
    try {
      await this.#run().ready(this.#context.conf.startTimeout * 1000)
    } catch (error) {
      if (this.#remember(error)) this.#context.logger.warn({}, error instanceof Error ? error.message : String(error))
    }
  }

  /** False when nothing failed: it was stopped, or the application closed, before the workers were ready. */
  #remember(error: unknown): boolean {
    if (error instanceof ClosedError) return false
    this.#fault = error instanceof Error ? error : new Error(String(error))
    return true
  }

  #run(): WorkerCluster {
    this.#cluster ??= this.#startCluster()
    return this.#cluster
  }

  #startCluster(): WorkerCluster {
    const { broker, conf, root, logger, clock, app } = this.#context
    if (!broker.supports.durable) {
      throw new ImproperlyConfigured([
        `Local workers are processes of their own and cannot see the broker "${broker.url}", which lives in this one. ` +
          'Use another "brokerUrl", or set "startLocalWorkers" to false.',
      ])
    }
    if (process.env['NODE_ENV'] === 'production' && conf.origin('startLocalWorkers') === 'default') {
      logger.warn({}, 'Starting local workers although NODE_ENV is "production", because nothing else reads this broker; "startLocalWorkers" decides')
    }
    const entry = this.#context.workerEntry ?? besideThisModule('worker-main')
    const cluster = new WorkerCluster({
      plans: planWorkers(conf),
      broker,
      lease: leaseOf(root),
      owner: `${process.pid}-${randomUUID()}`,
      spawn: (plan) => new ServiceProcess({ entry, clock, start: { kind: 'start', plan, conf: conf.forChildren(), root, app } }),
      onFault: (fault) => (this.#fault = fault),
      handOverGraceMs: this.#softTimeoutMs(),
      clock,
      logger,
    })
    cluster.start()
    return cluster
  }

  #softTimeoutMs(): number {
    return this.#context.conf.workerSoftShutdownTimeout * 1000
  }
}

/** Machines that share a broker each run workers of their own, and so does each project. */
function leaseOf(root: string): string {
  return `local-services@${hostname()}:${createHash('sha256').update(root).digest('hex').slice(0, 12)}`
}

/** Built and run from source, a module has the same ending as this one. */
function besideThisModule(name: string): string {
  return fileURLToPath(new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))
}

import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { ResultBackend } from '../backend.ts'
import { openBackend } from '../backends/open.ts'
import type { Broker, Subscription } from '../broker.ts'
import { openBroker } from '../brokers/open.ts'
import { Codec } from '../codec.ts'
import type { Config } from '../config/config.ts'
import { storeOptions } from '../config/store-options.ts'
import { isEmbedded } from '../config/url.ts'
import { serveCommands } from '../control/mailbox.ts'
import { OperationalError } from '../errors.ts'
import { NO_TYPES } from '../graph/types.ts'
import { childEnvironment, childExecArgv } from '../internal/child-environment.ts'
import type { Clock } from '../internal/clock.ts'
import type { Logger } from '../internal/logger.ts'
import type { Service } from '../internal/service.ts'
import type { Pool, PoolListener } from '../pool.ts'
import { openPool } from '../pools/open.ts'
import { publishTasks } from '../publish.ts'
import { runCommand } from './commands.ts'
import { quickPrefetch, TaskConsumer } from './consumer.ts'
import { insist } from './insist.ts'
import { RevokedTasks } from './revoked.ts'
import { RunningTasks } from './running.ts'

/** What a {@link Worker} is made of. */
export interface WorkerOptions {
  /** Node name, e.g. `worker1@host`. */
  readonly name: string
  /** Queues that it takes messages from. */
  readonly queues: readonly string[]
  /** How many tasks run at once. */
  readonly concurrency: number
  /** Where they run: processes of one task each, one process of all, or this process. */
  readonly pool: 'prefork' | 'async' | 'solo'
  readonly conf: Config
  /** Directory that function references are relative to. */
  readonly root: string
  /** `path[:attribute]` of the application to load where tasks run. */
  readonly app: string | undefined
  readonly logger: Logger
  readonly clock: Clock
}

/**
 * One worker: consumes queues, has a pool run the tasks, stores what comes of them.
 *
 * It never runs user code itself (but for the pool `solo`), so it keeps its lease, answers and stays in
 * command whatever a task does.
 */
export class Worker implements Service {
  readonly #options: WorkerOptions
  /** Where messages come from. */
  readonly #broker: Broker
  /** Where those go that follow a task: the same, unless `brokerWriteUrl` is another. */
  readonly #sender: Broker
  readonly #backend: ResultBackend
  readonly #running: RunningTasks
  readonly #revoked: RevokedTasks
  readonly #refused = new Map<string, number>()
  readonly #stopped = Promise.withResolvers<void>()
  /** Aborted when it begins to stop. */
  readonly #quit = new AbortController()
  #pool: Pool | undefined
  #consumer: TaskConsumer | undefined
  #commands: Subscription | undefined
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined

  constructor(options: WorkerOptions) {
    this.#options = options
    const { clock, conf, logger, root } = options
    const around = { root, clock, logger }
    const open = (url: string): Broker => openBroker(url, storeOptions(conf, around, 'broker', url))
    this.#broker = open(conf.brokerReadUrl)
    this.#sender = conf.brokerWriteUrl === conf.brokerReadUrl ? this.#broker : open(conf.brokerWriteUrl)
    this.#backend = openBackend(conf.resultBackend, storeOptions(conf, around, 'backend'))
    this.#running = new RunningTasks(clock)
    this.#revoked = new RevokedTasks(clock)
  }

  /** Resolves when the worker has stopped. */
  get stopped(): Promise<void> {
    return this.#stopped.promise
  }

  /** Process ids that hold user code. */
  pids(): readonly number[] {
    return this.#pool?.pids() ?? []
  }

  start(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  /**
   * Stops taking messages, gives running tasks `graceMs`, aborts the rest and gives their messages back.
   *
   * A second call changes nothing and resolves with the first, except that with `graceMs: 0` what still
   * runs is ended at once.
   */
  stop(options: { graceMs?: number } = {}): Promise<void> {
    if (this.#stopping !== undefined && options.graceMs === 0) void this.#pool?.stop(0)
    this.#stopping ??= this.#stop(options.graceMs ?? this.#options.conf.workerSoftShutdownTimeout * 1000)
    return this.#stopping
  }

  async #start(): Promise<void> {
    const { clock, conf, logger, name, queues, root } = this.#options
    await this.#connect()
    if (this.#stopping !== undefined) return
    const pool = await this.#openPool()
    if (this.#stopping !== undefined) return
    this.#pool = pool
    try {
      await pool.start()
    } catch (error) {
      if (this.#stopping === undefined) throw error
    }
    if (this.#stopping !== undefined) return
    // Commands first: whatever is revoked from now on is heard, and the rest is looked up.
    this.#commands = await serveCommands(this.#broker, name, (command) => runCommand(command, { pool, revoked: this.#revoked, refused: this.#refused }))
    const insisting = { clock, logger, stopping: this.#quit.signal }
    this.#consumer = new TaskConsumer({
      queues,
      name,
      context: {
        pool,
        broker: this.#broker,
        backend: this.#backend,
        codec: new Codec({ conf, root, clock, types: NO_TYPES }),
        conf,
        revoked: this.#revoked,
        running: this.#running,
        clock,
        logger,
        hostname: name,
        origin: `gen${process.pid}@${hostname()}`,
        replyTo: randomUUID(),
        publish: (publications) => publishTasks(this.#sender, publications),
        onRefused: (reason) => void this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1),
        insist: (what, write) => insist(what, write, insisting),
      },
    })
    if (this.#stopping !== undefined) return
    await this.#consumer.start()
    logger.info({ name, queues, concurrency: pool.size, pool: this.#options.pool }, `${name} ready`)
  }

  /** Waits for a server that is not there yet, unless it is told not to. */
  async #connect(): Promise<void> {
    const { clock, conf, logger } = this.#options
    const connect = (): Promise<unknown> => Promise.all([this.#broker.connect(), this.#sender.connect(), this.#backend.connect()])
    try {
      await connect()
    } catch (error) {
      const mayComeYet = error instanceof OperationalError && !isEmbedded(conf.brokerUrl) && conf.brokerConnectionRetryOnStartup
      if (!mayComeYet) throw error
      await insist('connect', connect, { clock, logger, stopping: this.#quit.signal })
    }
  }

  async #stop(graceMs: number): Promise<void> {
    this.#quit.abort()
    try {
      await this.#consumer?.pause()
      await this.#pool?.stop(graceMs)
      await this.#commands?.close()
      await this.#consumer?.close()
      // A start that was under way ends by itself now: its pool has gone.
      await this.#starting?.catch(() => {})
    } finally {
      await Promise.all([this.#broker.close(), this.#sender.close(), this.#backend.close()])
      this.#stopped.resolve()
    }
  }

  #openPool(): Promise<Pool> {
    const { app, clock, concurrency, conf, logger, name, pool, root } = this.#options
    const init = { root, app, conf: conf.forChildren(), hostname: name }
    const listener: PoolListener = {
      onState: (id, state, text) => this.#running.reportState(id, state, text),
      onProcesses: () => void this.#consumer?.setChildren(this.pids()).catch(() => {}),
      onWarning: (message) => logger.warn({}, message),
    }
    return openPool(pool, {
      concurrency,
      // All that is prefetched may wait where it runs.
      ahead: quickPrefetch(concurrency, conf.workerPrefetchMultiplier) - concurrency,
      entry: fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url)),
      init,
      execArgv: childExecArgv(),
      env: childEnvironment('pool'),
      clock,
      listener,
      executeHere: async () => {
        // Only this pool brings user code, and what it needs, into the worker.
        const { createTaskRunner } = await import('./runtime.ts')
        return createTaskRunner(init, (id, state, text) => listener.onState(id, state, text))
      },
    })
  }
}

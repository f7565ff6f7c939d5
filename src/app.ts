import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

import type { ResultBackend } from './backend.ts'
import { openBackend } from './backends/open.ts'
import type { Broker, Publication } from './broker.ts'
import { openBroker } from './brokers/open.ts'
import type { CallArguments } from './call.ts'
import { createSignature, type Signature, type SignatureOptions } from './canvas/signature.ts'
import { Codec } from './codec.ts'
import type { CeleryOptions } from './config/celery-options.ts'
import { type Config, loadConfig } from './config/config.ts'
import { maskUrl } from './config/url.ts'
import { storeOptions } from './config/store-options.ts'
import { askWorkers, broadcastCommand } from './control/mailbox.ts'
import { setCurrentApp } from './current.ts'
import { ClosedError, ImproperlyConfigured, InvalidTaskError } from './errors.ts'
import { isGuardedMain, mainScript } from './functions/main-script.ts'
import { moduleOf } from './functions/reference.ts'
import { type TypeClass, type TypeDescription, TypeRegistry } from './graph/types.ts'
import { type Clock, systemClock } from './internal/clock.ts'
import { createLogger, type Logger } from './internal/logger.ts'
import { publishTasks } from './publish.ts'
import { TaskRegistry } from './registry.ts'
import { Future } from './result/future.ts'
import { FuturePool } from './result/future-pool.ts'
import type { ResultSource } from './result/source.ts'
import type { Submitted } from './result/submitted.ts'
import { waitingTable } from './result/waiting.ts'
import type { SendOptions } from './send-options.ts'
import { type ApplyOptions, type MapArguments, type Runnable, type Sender, type Submittable, Submitter } from './submitter.ts'
import { createTask, createTaskManager, type Task, type TaskManager, type TaskOptions } from './task.ts'
import { waitingReason } from './waiting-reason.ts'
import { looksLikeWebApp, onWebAppClose, type WebApp } from './web-app.ts'

/** Workers of this machine, started and ended with the application. */
export interface LocalServices {
  /** Starts in the background what is configured, unless it runs. Never throws, and is cheap enough for every submit. */
  ensure(): void
  /** Resolves when every configured worker consumes. Rejects with `StartTimeoutError`. */
  start(options?: { timeoutMs?: number }): Promise<void>
  /** Resolves when all have ended. Starting again afterwards works. */
  stop(options?: { timeoutMs?: number }): Promise<void>
  readonly processes: readonly ServiceInfo[]
  /** Why the last start failed; undefined once every worker consumes. */
  readonly fault: Error | undefined
  /** Paths of their log files. */
  readonly logs: readonly string[]
}

/** One process of the local services. */
export interface ServiceInfo {
  /** Node name. */
  readonly name: string
  readonly pid: number
  readonly kind: 'worker'
}

/** What local services are made from. */
export interface ServicesContext {
  readonly broker: Broker
  readonly conf: Config
  readonly root: string
  readonly logger: Logger
  readonly clock: Clock
  /** Module of the web application for the processes that run tasks. */
  readonly app: string | undefined
}

/** Parts that the application is given rather than making them itself: they stand above it. */
export interface AppParts {
  localServices(context: ServicesContext): LocalServices
  /** Runs a message here, in place of sending it. */
  runEagerly(app: App, codec: Codec, backend: ResultBackend, publication: Publication, run: Runnable | undefined): Promise<void>
}

interface Stores {
  readonly broker: Broker
  readonly backend: ResultBackend
  readonly services: LocalServices
}

/** Events that an application emits. */
export interface AppEvents {
  /** Something failed that nobody waits for, e.g. a done callback. */
  error: [error: unknown]
  /** A message was refused: it is not signed with the application's key. Emitted in the process that was to run its task. */
  security: [event: SecurityEvent]
}

/** A message that was refused before anything of it was decoded; it is kept as a dead letter. */
export interface SecurityEvent {
  /** Id and name of the task, as the message has them. */
  readonly id: string
  readonly task: string | undefined
  readonly queue: string
  /** `unsigned`, `unknown-key`, `wrong-signature`, … */
  readonly reason: string
  readonly detail: string
}

const APPLICATIONS = Symbol.for('celeriac.applications')
const holder = globalThis as unknown as Record<symbol, App[] | undefined>

/** Every open application of this process, oldest first; one list even when the package is loaded twice. */
export function applications(): App[] {
  return (holder[APPLICATIONS] ??= [])
}

/** Composition root: configuration, task registry, broker and result backend as one object. */
export class App {
  readonly conf: Config
  readonly registry: TaskRegistry<Task> = new TaskRegistry()
  /** Types that travel in a form of their own. */
  readonly types: TypeRegistry = new TypeRegistry()
  /** Registers tasks and finds them: `celery.task(fn)`, `celery.task.add`. */
  readonly task: TaskManager
  readonly #parts: AppParts
  readonly #clock: Clock = systemClock
  readonly #logger: Logger = createLogger('warning')
  readonly #events = new EventEmitter<AppEvents>()
  readonly #sender: Sender
  readonly #submitter: Submitter
  #codec: Codec | undefined
  #webApp: WebApp | undefined
  #opening: Promise<Stores> | undefined
  #stores: Stores | undefined
  #closing: Promise<void> | undefined
  #wasStopped = false

  constructor(app: WebApp | string | CeleryOptions | undefined, options: CeleryOptions | undefined, parts: AppParts) {
    this.conf = loadConfig({ options: givenOptions(app, options) })
    this.#parts = parts
    this.#sender = this.#createSender()
    this.#submitter = new Submitter(this.#sender)
    this.task = createTaskManager({
      register: (run, taskOptions) => this.#register(run, taskOptions),
      find: (name) => this.registry.find(name),
      get: (name) => this.registry.get(name),
    })
    // A function may submit others: a copy of the application is the application of the process that it comes to.
    this.types.register(new.target as TypeClass<App>, { name: 'Celery', byReference: true, toWire: () => null, fromWire: () => this })
    if (looksLikeWebApp(app)) this.#adopt(app)
    applications().push(this)
  }

  /** Name of the application. */
  get main(): string {
    return this.conf.main
  }

  /** The web application that this one was made for. */
  get webApp(): WebApp | undefined {
    return this.#webApp
  }

  /** Names the web application after the fact. Options must come before anything is sent. */
  initApp(app: WebApp, options?: CeleryOptions): this {
    if (!looksLikeWebApp(app)) throw new InvalidTaskError('initApp takes a web application, e.g. what Fastify() or express() makes.')
    if (options !== undefined) this.conf.update(options)
    this.#adopt(app)
    return this
  }

  /** Hands a call to the background; see {@link Submitter.submit}. */
  submit<A extends readonly unknown[], R>(fn: Submittable<A, R>, ...args: CallArguments<NoInfer<A>>): Submitted<Awaited<R>> {
    return this.#submitter.submit(fn, ...args)
  }

  /** {@link submit} with options; see {@link Submitter.apply}. */
  apply<A extends readonly unknown[], R>(fn: Submittable<A, R>, options?: ApplyOptions<NoInfer<A>>): Submitted<Awaited<R>> {
    return this.#submitter.apply(fn, options)
  }

  /** One call for each list of arguments; see {@link Submitter.map}. */
  map<A extends readonly unknown[], R>(fn: Submittable<A, R>, ...lists: MapArguments<NoInfer<A>>): Promise<FuturePool<Awaited<R>>> {
    return this.#submitter.map(fn, ...lists)
  }

  /** Options for what is sent through the result: `celery.with({ queue: 'high' }).submit(add, 1, 2)`. */
  with(options: SendOptions): Submitter {
    return this.#submitter.with(options)
  }

  /** Sends a task by name, e.g. one of a Python worker. */
  sendTask<R = unknown>(name: string, args: readonly unknown[] = [], kwargs: Readonly<Record<string, unknown>> = {}, options: SendOptions = {}): Submitted<R> {
    return this.#submitter.sendTask<R>(name, args, kwargs, options)
  }

  /**
   * Writes down a call without sending it, for `link` and `linkError`: of a registered task, or by name.
   * @throws {@link InvalidTaskError} for an option that is wrong or unknown.
   */
  signature(task: string | Task, args?: readonly unknown[], kwargs?: Readonly<Record<string, unknown>>, options?: SignatureOptions): Signature {
    return createSignature(task, args, kwargs, options)
  }

  /** The future of a task that was submitted before, here or elsewhere. An unknown id is PENDING. */
  get<T = unknown>(id: string): Future<T> {
    if (typeof id !== 'string' || id === '') throw new InvalidTaskError('celery.get takes the id of a task.')
    return new Future<T>(this.#sender.source, id)
  }

  /** The pool that was saved under an id with `pool.save()`. */
  getPool<T = unknown>(id: string): FuturePool<T> {
    if (typeof id !== 'string' || id === '') throw new InvalidTaskError('celery.getPool takes the id of a pool.')
    return new FuturePool<T>(this.#sender.source, id)
  }

  /** Starts the local workers and waits until they consume. `timeout` in seconds; default `startTimeout`. */
  async start(options: { timeout?: number } = {}): Promise<void> {
    const { services } = await this.open()
    this.#wasStopped = false
    await services.start(options.timeout === undefined ? {} : { timeoutMs: options.timeout * 1000 })
  }

  /** Stops the local workers. A second call does nothing, and `start` works again. */
  async stop(options: { timeout?: number } = {}): Promise<void> {
    this.#wasStopped = true
    await this.#stores?.services.stop(options.timeout === undefined ? {} : { timeoutMs: options.timeout * 1000 })
  }

  /** Who answers, by node name: `{ 'worker1@host': 'OK' }`. Waits `timeout` seconds at most, 1 by default. */
  async status(options: { timeout?: number } = {}): Promise<Record<string, 'OK'>> {
    const { broker } = await this.open()
    const expect = (await broker.consumers()).map((consumer) => consumer.name)
    const replies = await askWorkers(broker, this.#clock, 'ping', {}, { timeoutMs: (options.timeout ?? 1) * 1000, expect })
    return Object.fromEntries(Object.keys(replies).map((name) => [name, 'OK']))
  }

  /** The processes that were started here. */
  get processes(): readonly ServiceInfo[] {
    return this.#stores?.services.processes ?? []
  }

  /** Log files of the local services. */
  get logs(): readonly string[] {
    return this.#stores?.services.logs ?? []
  }

  /**
   * Says how instances of a class travel, as arguments and as results: `toWire` makes anything that can travel of one, `fromWire`
   * makes it again where it arrives, and may be async. An error class needs no more than its name.
   *
   * Call it in a module that every process imports. A subclass has to be registered by itself.
   * @throws {@link ImproperlyConfigured} for what is no class or no description of one, and for a name or a class that is taken.
   */
  registerType<T extends object, W = unknown>(type: TypeClass<T>, description: TypeDescription<T, W>): this {
    this.types.register(type, description)
    return this
  }

  /** Tells the listeners of `security`. */
  emitSecurity(event: SecurityEvent): void {
    this.#events.emit('security', event)
  }

  /** Listens to an event; see {@link AppEvents}. */
  on<E extends keyof AppEvents>(event: E, listener: (...args: AppEvents[E]) => void): this {
    this.#events.on(event, listener as never)
    return this
  }

  /** Opens the stores now rather than with the first use. */
  open(): Promise<Stores> {
    if (this.#closing !== undefined) return Promise.reject(new ClosedError('This application was closed; make a new one.'))
    this.#opening ??= this.#open().catch((error: unknown) => {
      // The next use tries again: a folder that was not writable may be by then.
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  /** Stops the local services and closes the stores. Nothing of the application keeps the process alive afterwards. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #open(): Promise<Stores> {
    this.conf.freeze()
    const { conf } = this
    for (const warning of conf.warnings) this.#logger.warn({}, warning)
    const around = { root: conf.root, clock: this.#clock, logger: this.#logger }
    const broker = openBroker(conf.taskAlwaysEager ? `memory://${randomUUID()}` : conf.brokerWriteUrl, storeOptions(conf, around, 'broker', conf.brokerWriteUrl))
    const backend = openBackend(conf.taskAlwaysEager ? `memory://${randomUUID()}` : conf.resultBackend, storeOptions(conf, around, 'backend'))
    this.#checkReach(broker, backend)
    try {
      await Promise.all([broker.connect(), backend.connect()])
    } catch (error) {
      // One of the two may be open.
      await Promise.allSettled([broker.close(), backend.close()])
      throw error
    }
    const services = this.#parts.localServices({ broker, conf, root: conf.root, logger: this.#logger, clock: this.#clock, app: this.#appModule() })
    this.#stores = { broker, backend, services }
    return this.#stores
  }

  /** Stores that live in this process are no use where the workers are processes of their own. */
  #checkReach(broker: Broker, backend: ResultBackend): void {
    const { conf } = this
    if (conf.taskAlwaysEager || !conf.startLocalWorkers) return
    const hidden = Object.entries({ brokerUrl: broker.url, resultBackend: backend.url }).filter(([, url]) => url.startsWith('memory:'))
    if (hidden.length === 0) return
    const advice = 'Use "sqlite:", "alwaysEager" for tests, or set "startLocalWorkers" to false.'
    throw new ImproperlyConfigured(hidden.map(([option, url]) => `The ${option} "${url}" is in this process, where the local workers, processes of their own, cannot see it. ${advice}`))
  }

  async #close(): Promise<void> {
    const stores = await this.#opening?.catch(() => undefined)
    await stores?.services.stop()
    waitingTable(this.#sender.source).failAll(new ClosedError('The application was closed while a result was waited for.'))
    await Promise.all([stores?.broker.close(), stores?.backend.close()])
    const index = applications().indexOf(this)
    if (index >= 0) applications().splice(index, 1)
  }

  #adopt(app: WebApp): void {
    this.#webApp = app
    if (this.conf.taskAlwaysEager) setCurrentApp(() => this.#webApp)
    onWebAppClose(app, () => this.close())
  }

  /** Where other processes find the web application: the module that was named, or a main script that guards its start. */
  #appModule(): string | undefined {
    if (this.conf.app !== undefined) return this.conf.app
    const main = mainScript()
    if (this.#webApp === undefined || main === undefined) return undefined
    return isGuardedMain(readFileSync(main, 'utf8')) ? main : undefined
  }

  #register(run: (...args: never[]) => unknown, options: TaskOptions): Task {
    const task = createTask(
      {
        sendTask: (self, args, kwargs, sendOptions) => this.#submitter.applyTask(self, args, kwargs, sendOptions),
        nameFor: (fn) => this.#nameFor(fn),
      },
      run as (...args: readonly unknown[]) => unknown,
      options,
    )
    this.registry.add(task, { isNamed: options.name !== undefined })
    return task
  }

  /** Celery's way to name a task: module and function, `src.tasks.add`. */
  #nameFor(fn: (...args: never[]) => unknown): string {
    const module = moduleOf(fn, this.conf.root)?.replace(/^\.\//, '').replace(/\.[^./]+$/, '').replaceAll('/', '.')
    return `${module ?? this.conf.main}.${fn.name}`
  }

  /** Made when it is first needed: until then options may come. */
  #coder(): Codec {
    this.#codec ??= new Codec({ conf: this.conf, root: this.conf.root, clock: this.#clock, types: this.types })
    return this.#codec
  }

  #createSender(): Sender {
    const codec = (): Codec => this.#coder()
    return {
      get codec() {
        return codec()
      },
      conf: this.conf,
      root: this.conf.root,
      clock: this.#clock,
      source: this.#createSource(),
      origin: `gen${process.pid}@${hostname()}`,
      replyTo: randomUUID(),
      publish: (publications, run) => this.#publish(publications, run),
    }
  }

  #publish(publications: readonly Publication[], run: Runnable | undefined): Promise<void> {
    const stores = this.#stores
    if (stores === undefined || this.#closing !== undefined || this.conf.taskAlwaysEager) return this.#publishSlowly(publications, run)
    stores.services.ensure()
    return publishTasks(stores.broker, publications)
  }

  async #publishSlowly(publications: readonly Publication[], run: Runnable | undefined): Promise<void> {
    const { backend, broker, services } = await this.open()
    if (!this.conf.taskAlwaysEager) {
      services.ensure()
      return publishTasks(broker, publications)
    }
    for (const publication of publications) await this.#parts.runEagerly(this, this.#coder(), backend, publication, run)
  }

  #createSource(): ResultSource {
    const backend = (): ResultBackend => {
      if (this.#stores === undefined) throw new ClosedError('The result backend is not open yet.')
      return this.#stores.backend
    }
    return {
      get backend() {
        return backend()
      },
      clock: this.#clock,
      knownErrors: this.types.errors,
      decodeResult: (taskId, stored) => this.#coder().decodeResult(taskId, stored),
      connected: async () => void (await this.open()),
      revoke: async (id, { terminate, signal }) => {
        const { broker } = await this.open()
        await broadcastCommand(broker, 'revoke', { task_id: id, terminate, signal: signal ?? 'SIGTERM' })
      },
      explain: (id, queue) => this.#explain(id, queue),
      reportError: (error) => {
        if (this.#events.listenerCount('error') > 0) this.#events.emit('error', error)
        else process.emitWarning(error instanceof Error ? error : String(error))
      },
      expiresAtMs: () => (this.conf.resultExpires > 0 ? this.#clock.now() + this.conf.resultExpires * 1000 : undefined),
    }
  }

  async #explain(id: string, queue: string | undefined): Promise<string> {
    const { backend, broker, services } = await this.open()
    return waitingReason(id, queue, { backend, broker, startFault: services.fault, wasStopped: this.#wasStopped, logs: services.logs })
  }
}

/** The constructor's first argument may be the application, its name, or the options themselves. */
function givenOptions(app: WebApp | string | CeleryOptions | undefined, options: CeleryOptions = {}): CeleryOptions {
  if (typeof app === 'string') {
    if (/^(?:sqlite|memory|rediss?|redis\+socket|sentinel|amqps?|rpc):/.test(app)) {
      throw new ImproperlyConfigured([`A text given to the constructor is the application's name, but "${maskUrl(app)}" looks like a URL. Write { brokerUrl: "…" }.`])
    }
    return { main: app, ...options }
  }
  return app === undefined || looksLikeWebApp(app) ? options : { ...(app as CeleryOptions), ...options }
}

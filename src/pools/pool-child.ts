import { type ChildProcess, fork } from 'node:child_process'

import { Batcher } from '../internal/batcher.ts'
import type { Clock, Timer } from '../internal/clock.ts'
import type { Execution, Outcome } from '../pool.ts'
import { type ChildInit, type FromChild, isFromChild, packExecution, type ToChild } from './pipe.ts'

/** What a {@link PoolChild} needs of its pool. */
export interface PoolChildOptions {
  /** Path of the module that the child runs. */
  readonly entry: string
  readonly init: ChildInit
  /** Options of node. */
  readonly execArgv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  /** A running task reports a state of its own; `resultText` is JSON. */
  readonly onState: (id: string, state: string, resultText: string) => void
  /**
   * Called once when the process has ended or could not even begin, whatever the reason, after all its
   * outcomes were given; never before the constructor has returned.
   */
  readonly onExit: (detail: string) => void
}

interface Running {
  readonly n: number
  readonly settle: (outcome: Outcome) => void
  /** Why it was told to stop, if it was. */
  stopping: 'terminated' | 'shutdown' | undefined
}

/** How long a child may take to load the application and say that it is ready. */
const START_DEADLINE_MS = 60_000

/** How long a child may live on once its channel is closed. */
const DISCONNECTED_MS = 1_000

/**
 * One process that runs tasks. It is trusted with nothing: it may hang, lie, or die at any instant, and
 * every task given to it still ends in exactly one outcome.
 */
export class PoolChild {
  readonly #options: PoolChildOptions
  readonly #process: ChildProcess | undefined
  readonly #running = new Map<string, Running>()
  readonly #outbox: Batcher<ToChild>
  readonly #ready = Promise.withResolvers<void>()
  readonly #exited = Promise.withResolvers<void>()
  readonly #deadline: Timer
  #runs = 0
  /** Set when we end it ourselves, or when it said that it ends: those that fall with it are not to blame. */
  #killed = false
  #hasEnded = false
  #isReady = false
  #wasReady = false
  /** Why it could not load what it needs. */
  #failure: string | undefined
  #pongs: (() => void)[] = []

  constructor(options: PoolChildOptions) {
    this.#options = options
    this.#outbox = new Batcher((batch) => this.#send(batch))
    this.#ready.promise.catch(() => {})
    this.#deadline = options.clock.after(START_DEADLINE_MS, () => {
      this.#ready.reject(new Error(`the process was not ready after ${START_DEADLINE_MS / 1000} s`))
      this.kill()
    })
    this.#process = this.#fork()
    this.#outbox.add({ t: 'init', init: options.init })
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** How many tasks it runs now. */
  get busy(): number {
    return this.#running.size
  }

  /** It has loaded what it needs and still lives. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** It was ready once: its end is then not a failure to start. */
  get wasReady(): boolean {
    return this.#wasReady
  }

  /** Resolves when it can run tasks; rejects when it ended or failed before. */
  ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Resolves when the process has ended. */
  exited(): Promise<void> {
    return this.#exited.promise
  }

  run(execution: Execution): Promise<Outcome> {
    return new Promise((settle) => {
      const n = ++this.#runs
      this.#running.set(execution.id, { n, settle, stopping: undefined })
      this.#outbox.add({ t: 'run', n, x: packExecution(execution) })
    })
  }

  /**
   * Ends one task: first by its abort signal, after `graceMs` by force.
   *
   * A child that still answers lets go of a task that ignores its signal, so its neighbours live on; one
   * that does not answer, or runs nothing else, is killed.
   */
  terminate(id: string, graceMs: number): boolean {
    const task = this.#running.get(id)
    if (task === undefined) return false
    task.stopping = 'terminated'
    this.#outbox.add({ t: 'abort', id, why: 'terminated' })
    // Its id may run again by then.
    const runs = (): boolean => this.#running.get(id) === task
    this.#options.clock.after(graceMs, () => {
      if (!runs()) return
      if (this.#running.size === 1) return this.kill()
      this.#pongs.push(() => this.#settle(id, task.n, { kind: 'terminated' }))
      this.#outbox.add({ t: 'ping' })
      this.#options.clock.after(graceMs, () => {
        if (runs()) this.kill()
      })
    })
    return true
  }

  /** Whether it runs that task. */
  runs(id: string): boolean {
    return this.#running.has(id)
  }

  /** Asks every running task to stop through its signal. */
  abortAll(): void {
    for (const [id, task] of this.#running) {
      task.stopping ??= 'shutdown'
      this.#outbox.add({ t: 'abort', id, why: 'shutdown' })
    }
  }

  /** SIGKILL: nothing can refuse it. Running tasks end as `terminated` or as innocent bystanders. */
  kill(): void {
    this.#killed = true
    this.#isReady = false
    this.#sigkill()
  }

  #fork(): ChildProcess | undefined {
    const { entry, execArgv, env } = this.#options
    try {
      const child = fork(entry, [], { execArgv: [...execArgv], env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'json' })
      child.on('message', (batch) => this.#receive(batch as FromChild[]))
      child.once('disconnect', () => this.#onDisconnect())
      child.once('exit', (code, signal) => this.#endWhenRead(child, endOf(code, signal)))
      child.on('error', (error) => {
        // One that was never made does not exit either.
        if (child.pid === undefined) this.#end(`could not be made: ${error.message}`)
      })
      return child
    } catch (error) {
      setImmediate(() => this.#end(`could not be made: ${error instanceof Error ? error.message : String(error)}`))
      return undefined
    }
  }

  #sigkill(): void {
    // Without a process id the signal would be for our own group.
    if (this.pid !== undefined) this.#process?.kill('SIGKILL')
  }

  #send(batch: ToChild[]): void {
    // A failed write means that the child has gone; its exit settles everything that was given to it.
    if (this.#process?.connected === true) this.#process.send(batch, () => {})
  }

  #receive(batch: FromChild[]): void {
    // User code shares the channel, so anything may arrive.
    if (!Array.isArray(batch)) return
    for (const message of batch.filter(isFromChild)) {
      if (message.t === 'done') this.#settle(message.id, message.n, message.o)
      else if (message.t === 'state') this.#options.onState(message.id, message.s, message.r)
      else if (message.t === 'ready') this.#becomeReady()
      else if (message.t === 'pong') for (const pong of this.#pongs.splice(0)) pong()
      else if (message.t === 'failed') this.#failToStart(message.detail)
      else if (message.t === 'leaving') this.#announceEnd()
    }
  }

  #becomeReady(): void {
    this.#deadline.cancel()
    this.#isReady = true
    this.#wasReady = true
    this.#ready.resolve()
  }

  /** It could run nothing, so it makes way for another. */
  #failToStart(detail: string): void {
    this.#failure = detail
    this.#ready.reject(new Error(detail))
    this.kill()
  }

  #announceEnd(): void {
    this.#killed = true
    this.#isReady = false
  }

  /** It ends, or a task closed the channel and nothing more would ever come from it. */
  #onDisconnect(): void {
    this.#isReady = false
    this.#options.clock.after(DISCONNECTED_MS, () => {
      if (!this.#hasEnded) this.#sigkill()
    })
  }

  #settle(id: string, n: number, outcome: Outcome): void {
    const task = this.#running.get(id)
    if (task?.n !== n) return
    this.#running.delete(id)
    // A task that was told to stop and threw because of it did not fail; one that finished first has finished.
    task.settle(outcome.kind === 'failed' && task.stopping !== undefined ? this.#stopped(task, 'It stopped when it was asked to') : outcome)
  }

  #stopped(task: Running, detail: string): Outcome {
    return task.stopping === 'terminated' ? { kind: 'terminated' } : { kind: 'lost', detail, bystander: this.#killed || task.stopping === 'shutdown' }
  }

  /** What it said last may still be in the channel. */
  #endWhenRead(child: ChildProcess, how: string): void {
    this.#isReady = false
    if (!child.connected) return this.#end(how)
    child.once('disconnect', () => this.#end(how))
    this.#options.clock.after(DISCONNECTED_MS, () => this.#end(how))
  }

  #end(how: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#deadline.cancel()
    this.#isReady = false
    const detail = this.#failure === undefined ? how : `could not start: ${this.#failure}`
    this.#ready.reject(new Error(`the process ${detail} before it was ready`))
    for (const [id, task] of this.#running) {
      this.#running.delete(id)
      task.settle(this.#stopped(task, `The pool process ${this.pid} ${detail} while it ran the task`))
    }
    this.#options.onExit(detail)
    this.#exited.resolve()
  }
}

function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exited with code ${code}` : `was ended by ${signal}`
}

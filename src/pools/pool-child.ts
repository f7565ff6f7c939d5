import { type ChildProcess, fork } from 'node:child_process'

import { Batcher } from '../internal/batcher.ts'
import type { Clock, Timer } from '../internal/clock.ts'
import { deferred } from '../internal/deferred.ts'
import type { Execution, Outcome } from '../pool.ts'
import { type ChildInit, type FromChild, isFromChild, packExecution, type ToChild } from './pipe.ts'

export interface PoolChildOptions {
  /** Path of the module that the child runs. */
  readonly entry: string
  readonly init: ChildInit
  readonly execArgv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly onState: (id: string, state: string, resultText: string) => void
  /** Called once when the process has ended, whatever the reason, after all its outcomes were given. */
  readonly onExit: (detail: string) => void
}

interface Running {
  readonly settle: (outcome: Outcome) => void
  /** Why it was told to stop, if it was. */
  stopping: 'terminated' | 'shutdown' | undefined
}

/** How long a child may take to load the application and say that it is ready. */
const START_DEADLINE_MS = 60_000

/**
 * One process that runs tasks. It is trusted with nothing: it may hang, lie, or die at any instant, and
 * every task given to it still ends in exactly one outcome.
 */
export class PoolChild {
  readonly #options: PoolChildOptions
  readonly #process: ChildProcess
  readonly #running = new Map<string, Running>()
  readonly #outbox: Batcher<ToChild>
  readonly #ready = deferred()
  readonly #exited = deferred()
  readonly #deadline: Timer
  /** Set when we end it ourselves: those that fall with it are not to blame. */
  #killed = false
  #isReady = false
  #wasReady = false
  /** Why it could not load what it needs. */
  #failure: string | undefined
  #pongs: (() => void)[] = []

  constructor(options: PoolChildOptions) {
    this.#options = options
    this.#process = fork(options.entry, [], {
      execArgv: [...options.execArgv],
      env: options.env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'json',
    })
    this.#outbox = new Batcher((batch) => this.#send(batch))
    this.#ready.promise.catch(() => {})
    this.#process.on('message', (batch) => this.#receive(batch as FromChild[]))
    this.#process.on('error', (error) => this.#ready.reject(error))
    this.#process.once('exit', (code, signal) => this.#onExit(code, signal))
    this.#deadline = options.clock.after(START_DEADLINE_MS, () => {
      this.#ready.reject(new Error(`the process was not ready after ${START_DEADLINE_MS / 1000} s`))
      this.kill()
    })
    this.#outbox.add({ t: 'init', init: options.init })
  }

  get pid(): number | undefined {
    return this.#process.pid
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
      this.#running.set(execution.id, { settle, stopping: undefined })
      this.#outbox.add({ t: 'run', x: packExecution(execution) })
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
    this.#options.clock.after(graceMs, () => {
      if (!this.#running.has(id)) return
      if (this.#running.size === 1) return this.kill()
      this.#pongs.push(() => this.#settle(id, { kind: 'terminated' }))
      this.#outbox.add({ t: 'ping' })
      this.#options.clock.after(graceMs, () => {
        if (this.#running.has(id)) this.kill()
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
    this.#process.kill('SIGKILL')
  }

  #send(batch: ToChild[]): void {
    // A failed write means that the child has gone; its exit settles everything that was given to it.
    if (this.#process.connected) this.#process.send(batch, () => {})
  }

  #receive(batch: FromChild[]): void {
    // User code shares the channel, so anything may arrive.
    if (!Array.isArray(batch)) return
    for (const message of batch.filter(isFromChild)) {
      if (message.t === 'done') this.#settle(message.id, message.o)
      else if (message.t === 'state') this.#options.onState(message.id, message.s, message.r)
      else if (message.t === 'ready') this.#becomeReady()
      else if (message.t === 'pong') for (const pong of this.#pongs.splice(0)) pong()
      else if (message.t === 'failed') this.#failToStart(message.detail)
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

  #settle(id: string, outcome: Outcome): void {
    const task = this.#running.get(id)
    if (task === undefined) return
    this.#running.delete(id)
    // A task that was told to stop and threw because of it did not fail; one that finished first has finished.
    task.settle(outcome.kind === 'failed' && task.stopping !== undefined ? this.#stopped(task, 'It stopped when it was asked to') : outcome)
  }

  #stopped(task: Running, detail: string): Outcome {
    return task.stopping === 'terminated' ? { kind: 'terminated' } : { kind: 'lost', detail, bystander: this.#killed || task.stopping === 'shutdown' }
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    this.#deadline.cancel()
    this.#isReady = false
    const detail = this.#failure === undefined ? endOf(code, signal) : `could not start: ${this.#failure}`
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

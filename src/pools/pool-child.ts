import { type ChildProcess, fork } from 'node:child_process'

import { Batcher } from '../internal/batcher.ts'
import type { Clock, Timer } from '../internal/clock.ts'
import { type Execution, NOT_BEGUN, type Outcome } from '../pool.ts'
import { type ChildInit, type FromChild, isFromChild, type ToChild, unpackOutcome } from './pipe.ts'
import { MessagePacker } from './piped-messages.ts'

/** What a {@link PoolChild} needs of its pool. */
export interface PoolChildOptions {
  /** Path of the module that the child runs. */
  readonly entry: string
  readonly init: ChildInit
  /** How many tasks it runs at once. */
  readonly slots: number
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
  readonly id: string
  readonly n: number
  readonly settle: (outcome: Outcome) => void
  /** When the child said that it begins it, or was given it with nothing else to do, by the monotonic clock. */
  begunAtMs?: number
  /** Why it was told to stop, if it was. */
  stopping?: Reason
  /** Why it was to be taken back, if it was, as long as nothing says that it has begun. */
  withdrawn?: Reason | undefined
  /** Terminated before it began: what it gets from its beginning. */
  graceMs?: number
}

type Reason = 'terminated' | 'shutdown'

/** How long a child may take to load the application and say that it is ready. */
const START_DEADLINE_MS = 60_000

/** Tasks that take less than this are quick. */
const QUICK_MS = 20

/** What one task weighs in the average. */
const PACE_WEIGHT = 0.1

/** How long a child may take to answer, at least: it is no sign of a blocked one that it does not at once. */
const LEAST_ANSWER_MS = 250

/** How long a child may live on once its channel is closed. */
const DISCONNECTED_MS = 1_000

/**
 * One process that runs tasks. It is trusted with nothing: it may hang, lie, or die at any instant, and
 * every task given to it still ends in exactly one outcome.
 */
export class PoolChild {
  readonly #options: PoolChildOptions
  readonly #process: ChildProcess | undefined
  /** What it was given and has not ended, those that wait for a slot too. */
  readonly #given = new Map<string, Running>()
  /** How long its latest tasks took, on average; nothing is known at first. */
  #paceMs = 2 * QUICK_MS
  readonly #outbox: Batcher<ToChild>
  readonly #packer = new MessagePacker()
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
    this.#outbox = new Batcher((batch) => this.#send(batch), 'callback')
    this.#ready.promise.catch(() => {})
    this.#deadline = options.clock.after(START_DEADLINE_MS, () => {
      this.#ready.reject(new Error(`the process was not ready after ${START_DEADLINE_MS / 1000} s`))
      this.kill()
    })
    this.#process = this.#fork()
    this.#outbox.add({ t: 'init', init: options.init, slots: options.slots })
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** How many tasks it runs, or has waiting. */
  get busy(): number {
    return this.#given.size
  }

  /** Its tasks were over in a blink lately, so that waiting in it for one to end is no harm. */
  get isQuick(): boolean {
    return this.#paceMs < QUICK_MS
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
      const idle = this.#given.size === 0
      const task: Running = { id: execution.id, n: ++this.#runs, settle, ...(idle && { begunAtMs: performance.now() }) }
      const x = { ...execution, message: this.#packer.pack(execution.message) }
      this.#given.set(task.id, task)
      this.#outbox.add(idle ? { t: 'run', n: task.n, idle, x } : { t: 'run', n: task.n, x })
    })
  }

  /** Takes back one that waits for a slot. It runs all the same if the child begins it before it hears of this. */
  withdraw(id: string, why: Reason = 'terminated'): boolean {
    const task = this.#given.get(id)
    if (task === undefined || task.begunAtMs !== undefined) return false
    // Whoever cancels it wants more than one who gives it back.
    if (why === 'terminated' || task.withdrawn === undefined) task.withdrawn = why
    this.#outbox.add({ t: 'withdraw', id })
    return true
  }

  /**
   * Ends one task: first by its abort signal, by force once it has run for `graceMs` after that. One that waits is
   * taken back.
   *
   * A child that still answers lets go of a task that ignores its signal, so its neighbours live on; one
   * that does not answer, or runs nothing else, is killed.
   */
  terminate(id: string, graceMs: number): boolean {
    const task = this.#given.get(id)
    if (task === undefined) return false
    task.stopping = 'terminated'
    this.#outbox.add({ t: 'abort', id, why: 'terminated' })
    if (task.begunAtMs === undefined) task.graceMs = graceMs
    else this.#endByForce(task, graceMs)
    return true
  }

  /** Whether it runs that task. */
  runs(id: string): boolean {
    return this.#given.get(id)?.begunAtMs !== undefined
  }

  /**
   * Takes back all that wait for a slot, since what runs takes long. One that blocks the child keeps it from answering: then they are
   * given up. It asks before it begins another, and has read by the answer that they are withdrawn.
   */
  giveBackWaiting(): void {
    this.#paceMs = 2 * QUICK_MS
    const waiting = [...this.#given.values()].filter((task) => this.withdraw(task.id, 'shutdown'))
    if (waiting.length === 0) return
    this.#options.clock.after(LEAST_ANSWER_MS, () => {
      // What it has said meanwhile is read first: this very process may be the one that is late.
      setImmediate(() => {
        for (const task of waiting) {
          if (!this.#holds(task) || task.withdrawn === undefined) continue
          this.#given.delete(task.id)
          task.settle(this.#stopped(task, ''))
        }
      })
    })
  }

  /** Takes back all that wait for a slot, as the worker stops. */
  withdrawAll(): void {
    for (const id of this.#given.keys()) this.withdraw(id, 'shutdown')
  }

  /** Asks every running task to stop through its signal. */
  abortAll(): void {
    for (const [id, task] of this.#given) {
      task.stopping ??= task.withdrawn ?? 'shutdown'
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

  #endByForce(task: Running, graceMs: number): void {
    this.#options.clock.after(graceMs, () => {
      if (!this.#holds(task)) return
      if (this.#begun() === 1) this.kill()
      else this.#letGoIfItAnswers(task, Math.max(graceMs, LEAST_ANSWER_MS))
    })
  }

  #letGoIfItAnswers(task: Running, deadlineMs: number): void {
    this.#pongs.push(() => {
      if (this.#holds(task)) this.#outbox.add({ t: 'let-go', id: task.id, n: task.n })
      this.#settle(task.id, task.n, { kind: 'terminated' })
    })
    this.#outbox.add({ t: 'ping' })
    this.#options.clock.after(deadlineMs, () => {
      if (this.#holds(task)) this.kill()
    })
  }

  /** Whether this very run is not over; its id may run again. */
  #holds(task: Running): boolean {
    return this.#given.get(task.id) === task
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
      if (message.t === 'begun') this.#onBegun(message.n)
      else if (message.t === 'done') this.#settle(message.id, message.n, unpackOutcome(message.o))
      else if (message.t === 'state') this.#options.onState(message.id, message.s, message.r)
      else if (message.t === 'ready') this.#becomeReady()
      else if (message.t === 'pong') for (const pong of this.#pongs.splice(0)) pong()
      else if (message.t === 'ask') this.#outbox.add({ t: 'go-on' })
      else if (message.t === 'failed') this.#failToStart(message.detail)
      else if (message.t === 'leaving') this.#announceEnd()
    }
  }

  #becomeReady(): void {
    // What was in the channel when it was killed, or said that it ends, comes too late.
    if (this.#killed || this.#hasEnded) return
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
    const task = this.#given.get(id)
    if (task?.n !== n) return
    this.#forget(task)
    // A task that was told to stop and threw because of it did not fail; one that finished first has finished.
    const hasStopped = outcome.kind === 'failed' || outcome.kind === 'terminated'
    task.settle(hasStopped && (task.stopping ?? task.withdrawn) !== undefined ? this.#stopped(task, 'It stopped when it was asked to') : outcome)
  }

  #forget(task: Running): void {
    this.#given.delete(task.id)
    if (task.begunAtMs !== undefined) this.#paceMs += (performance.now() - task.begunAtMs - this.#paceMs) * PACE_WEIGHT
  }

  /** They begin in the order in which they were given. */
  #onBegun(upTo: number): void {
    const now = performance.now()
    for (const task of this.#given.values()) {
      if (task.n > upTo) return
      if (task.begunAtMs !== undefined) continue
      task.begunAtMs = now
      task.withdrawn = undefined
      if (task.graceMs !== undefined) this.#endByForce(task, task.graceMs)
    }
  }

  /** How many run now. */
  #begun(): number {
    let count = 0
    for (const { begunAtMs } of this.#given.values()) if (begunAtMs !== undefined) count += 1
    return count
  }

  #stopped(task: Running, detail: string): Outcome {
    if ((task.stopping ?? task.withdrawn) === 'terminated') return { kind: 'terminated' }
    return task.begunAtMs === undefined ? NOT_BEGUN : { kind: 'lost', detail, bystander: this.#killed || task.stopping === 'shutdown' }
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
    // One that dies of what it reads says nothing any more: the first is counted, so that it cannot go on for ever.
    const [first] = this.#given.values()
    if (first !== undefined && this.#begun() === 0 && !this.#killed) first.begunAtMs = performance.now()
    for (const task of this.#given.values()) {
      task.settle(this.#stopped(task, `The pool process ${this.pid} ${detail} while it ran the task`))
    }
    this.#given.clear()
    this.#options.onExit(detail)
    this.#exited.resolve()
  }
}

function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exited with code ${code}` : `was ended by ${signal}`
}

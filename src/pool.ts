import type { Content, Message } from './protocol/message.ts'

/**
 * What runs tasks. A pool decides in which process or thread, and how many at once; what running a task
 * means is `worker/execute.ts`.
 */
export interface Pool {
  /** How many tasks run at once. */
  readonly size: number

  /**
   * How many more may be handed over now to wait inside, so that a slot that becomes free has its next task
   * at once. 0 while tasks are not short, and where one would hold up those behind it though another slot is free.
   */
  readonly ahead: number

  /** User code runs outside this process, so that nothing it does can stop the worker. */
  readonly isolated: boolean

  /** Resolves when every slot can take a task. Rejects when the processes cannot be started. */
  start(): Promise<void>

  /**
   * Runs one task. Never rejects: whatever happens becomes an outcome, exactly one.
   *
   * The caller keeps to `size` and `ahead` at once. Once the pool stops it begins nothing: the outcome is {@link NOT_BEGUN}.
   */
  run(execution: Execution, options?: RunOptions): Promise<Outcome>

  /**
   * Ends a task: takes it back if it has not begun, otherwise aborts its signal, then after `graceMs` kills what runs it. Its
   * outcome is then `terminated`; other tasks that fall with it end as `lost` with `bystander: true`. One that waits in a
   * process that does not answer ends when that process does. False when it is not here.
   */
  terminate(id: string, graceMs: number): boolean

  /** Takes back a task that has not begun: its outcome is `terminated`, unless it begins at this moment. False when it has begun, or is not here. */
  withdraw(id: string): boolean

  /**
   * Says that a task has been running for more than a blink. What waits behind it where no other slot could take it comes back
   * as {@link NOT_BEGUN}, and for a while nothing waits there.
   */
  ranLong(id: string): void

  /** The process that runs a task now; undefined when none does. */
  pidOf(id: string): number | undefined

  /** Process ids that hold user code; empty when it runs in this process. */
  pids(): readonly number[]

  /** Ends everything: waits `graceMs` for running tasks, aborts their signals, kills what is left. */
  stop(graceMs: number): Promise<void>
}

/** How one task is run. */
export interface RunOptions {
  /** It shares its process with no other: whatever ends the process then, it was this task. */
  readonly alone?: boolean
  /** It waits for a free slot, never behind another task: once it is given to a process, it begins. */
  readonly atOnce?: boolean
}

/** What a pool tells the worker besides outcomes. */
export interface PoolListener {
  /** A running task reports a state of its own; `resultText` is JSON. */
  onState(id: string, state: string, resultText: string): void
  /** The set of processes changed. */
  onProcesses(): void
  /** Something that people should read: a process was lost, or could not be replaced. */
  onWarning(message: string): void
}

/** One task as it crosses to where it runs: the body is still encoded. */
export interface Execution {
  readonly id: string
  readonly message: TaskContent
  readonly queue: string
  readonly redelivered: boolean
}

/** What of a message is needed to run its task. */
export type TaskContent = Content & Pick<Message, 'headers'>

/** How one execution ended. Plain data: it crosses a pipe. */
export type Outcome =
  /** Without `resultText` the task returned undefined. */
  | ({ readonly kind: 'succeeded'; readonly resultText?: string } & Consequences)
  | ({ readonly kind: 'failed' } & Failure & Consequences)
  /** It asked to be run again at `etaMs`, with another `content` if there is one. Without an exception it did not say why. */
  | ({ readonly kind: 'retry'; readonly etaMs: number; readonly content?: RetryContent } & Partial<Failure> & Consequences)
  | { readonly kind: 'unknown-task'; readonly detail: string }
  | { readonly kind: 'malformed'; readonly detail: string }
  /** Its signature does not hold, or is missing; nothing of it was decoded. */
  | { readonly kind: 'refused'; readonly reason: string; readonly detail: string }
  | { readonly kind: 'terminated' }
  | { readonly kind: 'lost'; readonly detail: string; readonly bystander: boolean }

/** An error as it is stored and logged. */
export interface Failure {
  readonly exceptionText: string
  readonly traceback: string | null
  readonly summary: string
}

/** What follows from how a task ended. */
export interface Consequences {
  /** To be sent: what it is linked to, and the next step of its chain. */
  readonly followUps?: readonly FollowUp[]
  /** Ids of the tasks that it has sent itself. */
  readonly children?: readonly string[]
  /** Ids of later steps of its chain, which now fail with it. */
  readonly restOfChain?: readonly string[]
}

/** A message for a queue. */
export interface FollowUp {
  readonly queue: string
  readonly message: Message
  /** When it may first be delivered, in milliseconds since 1970. */
  readonly dueAtMs?: number
}

/** A body in place of the present one, and how its arguments are shown. */
export type RetryContent = Content & { readonly argsrepr: string; readonly kwargsrepr: string; readonly compression?: string | undefined }

/** The outcome of what a pool gives back: it stops, or something else takes long. */
export const NOT_BEGUN: Outcome = { kind: 'lost', detail: 'The task was given back before it began', bystander: true }

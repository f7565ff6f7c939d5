/** One process that runs a worker, as those who keep workers running see it. */
export interface WorkerProcess {
  /** Undefined when there is no living process. */
  readonly pid: number | undefined

  /** Starts the process. Never throws: what goes wrong is an exit. */
  start(): void

  /** Resolves when it is consuming. Never settles when it ended before; `exited` then does. */
  ready(): Promise<void>

  /** Resolves when the process has ended, in whatever way. */
  exited(): Promise<WorkerExit>

  /** The last lines that it wrote to its log. */
  log(): string

  /**
   * Asks the process to end, giving its tasks `graceMs`, and ends it and its children by force soon after
   * that; at once when it is not yet ready. Resolves when it has ended.
   */
  stop(graceMs: number): Promise<void>
}

/** How a process ended, and what it left in its log since it was started. */
export interface WorkerExit {
  /** To follow the worker's name: `exited with code 1: …`. */
  readonly detail: string
  readonly log: string
}

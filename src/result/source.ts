import type { ResultBackend } from '../backend.ts'
import type { Clock } from '../internal/clock.ts'
import type { KnownErrors } from '../protocol/exception.ts'

/** What futures need of the application that made them. */
export interface ResultSource {
  readonly backend: ResultBackend
  readonly clock: Clock
  /** Error classes of the application, by name, that errors of tasks become again. */
  readonly knownErrors?: KnownErrors | undefined
  /** What the task with this id returned or reported, from the JSON that is stored for it. May import what it refers to. */
  decodeResult(taskId: string, stored: unknown): unknown
  /** Resolves when the result backend is open. Rejects with `OperationalError` when it cannot be reached in time. */
  connected(): Promise<void>
  /** Tells every worker to drop the task, and with `terminate` to end it where it runs. */
  revoke(id: string, options: RevokeRequest): Promise<void>
  /**
   * One sentence for the error of a wait that ran out: why the task still waits, and what to do.
   *
   * Settles within about a second, whatever is broken: the error waits for it.
   */
  explain(id: string, queue: string | undefined): Promise<string>
  /** Takes what a done callback threw, or why it could not be called: nobody else would see it. */
  reportError(error: unknown): void
  /** When a record that a future stores itself expires, in milliseconds since 1970; undefined: never. */
  readonly expiresAtMs: () => number | undefined
}

/** How a task is revoked. `signal` is a process signal such as `SIGKILL`, for `terminate`. */
export interface RevokeRequest {
  readonly terminate: boolean
  readonly signal?: string
}

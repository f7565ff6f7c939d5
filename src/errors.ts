/**
 * Every public error. One class per thing a caller would catch, all under {@link CeleriacError}, each
 * with a stable `code`. `docs/errors.md` lists them; a test keeps the two the same.
 *
 * Classes whose names travel in results keep Celery's names.
 */

/** The base of every error this library throws on purpose. */
export class CeleriacError extends Error {
  /** Stable, for programs: `ERR_CELERIAC_…`. */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** Configuration that cannot be used. `problems` holds every one found, a line each. */
export class ImproperlyConfigured extends CeleriacError {
  readonly problems: readonly string[]

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super('ERR_CELERIAC_CONFIG', problems.length === 1 ? (problems[0] ?? '') : `The configuration has ${problems.length} problems:\n  - ${problems.join('\n  - ')}`, options)
    this.problems = problems
  }
}

/** Something that was given to `submit`, `map`, `task` or `apply` cannot be run as a task, or a future cannot be asked for that. */
export class InvalidTaskError extends TypeError {
  readonly code = 'ERR_CELERIAC_INVALID_TASK'
  override readonly name = 'InvalidTaskError'
}

/** A function has no module and export by which another process could find it. */
export class UnreachableFunctionError extends CeleriacError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_UNREACHABLE_FUNCTION', message, options)
  }
}

/** An argument or a result cannot travel. `path` is where it sits, e.g. `args[0].file`. */
export class EncodeError extends CeleriacError {
  readonly path: string

  constructor(message: string, path: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_ENCODE', message, options)
    this.path = path
  }
}

/** A message or a stored result cannot be read. */
export class DecodeError extends CeleriacError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_DECODE', message, options)
  }
}

/** The content type of a message is not one that this application accepts. */
export class ContentDisallowed extends CeleriacError {
  readonly contentType: string

  constructor(message: string, contentType: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_CONTENT', message, options)
    this.contentType = contentType
  }
}

/** A message was refused because it is not signed with the application's key, or no longer. `reason` is the kind of it. */
export class SecurityError extends CeleriacError {
  readonly reason: string

  constructor(message: string, reason: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_SECURITY', message, options)
    this.reason = reason
  }
}

/** No task of that name is known here. */
export class NotRegistered extends CeleriacError {
  readonly taskName: string

  constructor(message: string, taskName: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_NOT_REGISTERED', message, options)
    this.taskName = taskName
  }
}

/** Two different tasks were registered under one name. */
export class AlreadyRegistered extends CeleriacError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_ALREADY_REGISTERED', message, options)
  }
}

/** The broker or the result backend could not be reached, or refused what was asked. */
export class OperationalError extends CeleriacError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_OPERATIONAL', message, options)
  }
}

/** A wait ended before the result came. The task itself goes on. */
export class TimeoutError extends CeleriacError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_TIMEOUT', message, options)
  }
}

/** The local services were not ready in time. `log` is the tail of what they wrote. */
export class StartTimeoutError extends CeleriacError {
  readonly log: string

  constructor(message: string, log: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_START_TIMEOUT', message, options)
    this.log = log
  }
}

/** The task was cancelled, revoked or had expired before it ran. `reason` is Celery's word for it. */
export class TaskRevokedError extends CeleriacError {
  readonly reason: 'revoked' | 'terminated' | 'expired' | (string & {})

  constructor(reason: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_REVOKED', reason, options)
    this.reason = reason
  }
}

/**
 * Thrown by `currentTask().retry()`: ends this run of the task, which is run again later. Let it through.
 *
 * `exc` is what went wrong, if the task said; `etaMs` is when it runs again, in milliseconds since 1970; `args` and `kwargs` are
 * what it runs with then, where they are others.
 */
export class Retry extends CeleriacError {
  readonly etaMs: number
  readonly exc: unknown
  readonly args: readonly unknown[] | undefined
  readonly kwargs: Readonly<Record<string, unknown>> | undefined

  constructor(message: string, { etaMs, exc, args, kwargs }: { etaMs: number; exc?: unknown; args?: readonly unknown[] | undefined; kwargs?: Readonly<Record<string, unknown>> | undefined }) {
    super('ERR_CELERIAC_RETRY', message)
    this.etaMs = etaMs
    this.exc = exc
    this.args = args
    this.kwargs = kwargs
  }
}

/** A task asked to be retried once more than it may. */
export class MaxRetriesExceededError extends CeleriacError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_MAX_RETRIES_EXCEEDED', message, options)
  }
}

/** The process that ran the task ended before the task did. */
export class WorkerLostError extends CeleriacError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_WORKER_LOST', message, options)
  }
}

/**
 * An error raised by a task in another process whose class is not known here.
 *
 * `name` is the remote class's name, `excModule` the module it came from, `excArgs` what it was made with.
 */
export class RemoteError extends CeleriacError {
  readonly excType: string
  readonly excModule: string | null
  readonly excArgs: readonly unknown[]

  constructor(excType: string, excArgs: readonly unknown[], excModule: string | null, options?: ErrorOptions) {
    super('ERR_CELERIAC_REMOTE', excArgs.map(argumentText).join(', '), options)
    this.name = excType
    this.excType = excType
    this.excModule = excModule
    this.excArgs = excArgs
  }
}

/** An argument from the wire as text: `String` would call what a JSON object holds under `toString`. */
function argumentText(argument: unknown): string {
  if (typeof argument === 'string') return argument
  if (typeof argument === 'bigint') return String(argument)
  return JSON.stringify(argument, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

/** `currentApp()` was called where no web application can be found. */
export class NoCurrentAppError extends CeleriacError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_NO_CURRENT_APP', message, options)
  }
}

/** The application named by `-A`, `app` or `CELERIAC_APP` could not be loaded. */
export class AppNotFoundError extends CeleriacError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_APP_NOT_FOUND', message, options)
  }
}

/** The object was closed and can no longer be used. */
export class ClosedError extends CeleriacError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_CLOSED', message, options)
  }
}

/** No pool of futures is saved under that id, or it has expired. */
export class PoolNotFoundError extends CeleriacError {
  readonly poolId: string

  constructor(message: string, poolId: string, options?: ErrorOptions) {
    super('ERR_CELERIAC_POOL_NOT_FOUND', message, options)
    this.poolId = poolId
  }
}

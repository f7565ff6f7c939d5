import { AppNotFoundError, CeleriacError, ImproperlyConfigured, InvalidTaskError } from '../errors.ts'
import { EXIT } from './exit-codes.ts'

/** A command that ends without success: what to say, and the exit code. */
export class CommandFailure extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CommandFailure'
    this.exitCode = exitCode
  }
}

/** How a command that threw is to end. Mistakes that have a name are told in their own words, without a stack. */
export function failureOf(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error
  if (error instanceof AppNotFoundError || error instanceof ImproperlyConfigured) return new CommandFailure(error.message, EXIT.usage)
  if (error instanceof CeleriacError || error instanceof InvalidTaskError) return new CommandFailure(error.message, exitCodeOf(error))
  return new CommandFailure(error instanceof Error ? (error.stack ?? error.message) : String(error), EXIT.failure)
}

function exitCodeOf(error: Error): number {
  return 'code' in error && error.code === 'ERR_CELERIAC_PIDFILE' ? EXIT.cannotCreate : EXIT.failure
}

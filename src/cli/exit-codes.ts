/** What the exit code of a command says; the numbers are Celery's, which are those of `sysexits.h`. */
export const EXIT: {
  /** What was asked for could not be done, or has not happened yet. */
  readonly failure: 1
  /** The command line, the configuration or the application cannot be used. */
  readonly usage: 2
  /** No worker replied. */
  readonly unavailable: 69
  /** A file that must be this process's alone, such as a pidfile, is another's. */
  readonly cannotCreate: 73
} = { failure: 1, usage: 2, unavailable: 69, cannotCreate: 73 }

import { pino } from 'pino'

/** What we need of a logger: pino's shape, which winston, bunyan and console wrappers also have. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: object): Logger
}

/** Names of levels as Celery's command line takes them, in any case. */
export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical'

const PINO_LEVELS: Record<LogLevel, string> = {
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
}

/** Something that takes lines of a log, each with its line break. */
export interface LogSink {
  write(line: string): void
}

/**
 * A logger that writes one JSON line per entry: to standard error, to a sink, or appended to a file, which it creates
 * with its folder.
 */
export function createLogger(level: LogLevel, to: string | LogSink = pino.destination({ dest: 2, sync: true })): Logger {
  const sink = typeof to === 'string' ? pino.destination({ dest: to, sync: true, mkdir: true }) : to
  return pino({ level: PINO_LEVELS[level], base: { pid: process.pid } }, sink)
}

/** A logger that says nothing: the default of a process that only submits. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
}

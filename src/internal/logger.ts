import { mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
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
export function createLogger(level: LogLevel, to: string | LogSink = new DescriptorSink(2)): Logger {
  const sink = typeof to === 'string' ? new DescriptorSink(openForAppending(to)) : to
  return pino({ level: PINO_LEVELS[level], base: { pid: process.pid } }, sink)
}

function openForAppending(path: string): number {
  mkdirSync(dirname(path), { recursive: true })
  return openSync(path, 'a')
}

/** How often a line is tried that the reader of a pipe has no room for, a millisecond apart. */
const MOST_TRIES = 100

/** Writes at once, and loses a line rather than throw: a full disk, or a reader that has gone, must cost no task. */
class DescriptorSink implements LogSink {
  readonly #descriptor: number

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  write(line: string): void {
    let left: Uint8Array = Buffer.from(line)
    for (let tries = 0; left.length > 0 && tries < MOST_TRIES; tries++) {
      try {
        left = left.subarray(writeSync(this.#descriptor, left))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
        Atomics.wait(WAITED_ON, 0, 0, 1)
      }
    }
  }
}

const WAITED_ON = new Int32Array(new SharedArrayBuffer(4))

/** A logger that says nothing: the default of a process that only submits. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
}

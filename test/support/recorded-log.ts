import type { Logger } from '../../src/internal/logger.ts'
import { within } from './within.ts'

interface Waiter {
  readonly pattern: RegExp
  readonly resolve: (line: string) => void
}

/** A logger that keeps what it is told, as `level message`, and that can be waited for. */
export class RecordedLog implements Logger {
  readonly lines: string[] = []
  readonly #waiters = new Set<Waiter>()

  debug(_fields: object, message: string): void {
    this.#add('debug', message)
  }

  info(_fields: object, message: string): void {
    this.#add('info', message)
  }

  warn(_fields: object, message: string): void {
    this.#add('warn', message)
  }

  error(_fields: object, message: string): void {
    this.#add('error', message)
  }

  child(): Logger {
    return this
  }

  /** Resolves to the first line that matches, one that is there already or one that comes. */
  says(pattern: RegExp, timeoutMs?: number): Promise<string> {
    const line = this.lines.find((each) => pattern.test(each))
    if (line !== undefined) return Promise.resolve(line)
    const coming = new Promise<string>((resolve) => this.#waiters.add({ pattern, resolve }))
    return within(coming, `${pattern} in the log`, timeoutMs)
  }

  #add(level: string, message: string): void {
    const line = `${level} ${message}`
    this.lines.push(line)
    for (const waiter of this.#waiters) {
      if (!waiter.pattern.test(line)) continue
      this.#waiters.delete(waiter)
      waiter.resolve(line)
    }
  }
}

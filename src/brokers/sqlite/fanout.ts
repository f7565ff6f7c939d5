import type { Subscription } from '../../broker.ts'
import type { Clock } from '../../internal/clock.ts'
import type { Logger } from '../../internal/logger.ts'
import type { Database } from '../../internal/sqlite/database.ts'

/** How long a broadcast is kept for those who are about to read it, and how often older ones are removed. */
const KEPT_MS = 60_000
const TRIM_MS = 10_000

interface Listener {
  readonly channel: string
  readonly notify: (payload: string) => void
  /** Broadcasts up to this one were before its time. */
  readonly since: number
}

interface Row {
  readonly seq: number
  readonly channel: string
  readonly payload: string
}

/** Broadcasts: rows that every subscribed process reads once. */
export class Fanout {
  readonly #database: Database
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #listeners = new Set<Listener>()
  #last = 0
  #stopListening: (() => void) | undefined
  #trimmedAtMs = 0

  constructor(database: Database, clock: Clock, logger: Logger) {
    this.#database = database
    this.#clock = clock
    this.#logger = logger
  }

  async broadcast(channel: string, payload: string): Promise<void> {
    await this.#database.write(() => {
      const now = this.#clock.now()
      this.#database.run('INSERT INTO fanout (channel, at, payload) VALUES (?, ?, ?)', channel, now, payload)
      if (now - this.#trimmedAtMs > TRIM_MS) {
        this.#database.run('DELETE FROM fanout WHERE at < ?', now - KEPT_MS)
        this.#trimmedAtMs = now
      }
      this.#database.announce('fanout')
    })
  }

  async subscribe(channel: string, notify: (payload: string) => void): Promise<Subscription> {
    const since = await this.#database.read(() => this.#latest())
    if (this.#listeners.size === 0) {
      this.#last = since
      this.#stopListening = this.#database.listen('fanout', () => this.#deliver())
    }
    const listener = { channel, notify, since }
    this.#listeners.add(listener)
    this.#deliver()
    return {
      close: () => {
        this.#listeners.delete(listener)
        if (this.#listeners.size === 0) this.close()
        return Promise.resolve()
      },
    }
  }

  close(): void {
    this.#listeners.clear()
    this.#stopListening?.()
    this.#stopListening = undefined
  }

  #latest(): number {
    return this.#database.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'fanout'")?.seq ?? 0
  }

  #deliver(): void {
    for (const { seq, channel, payload } of this.#unread()) {
      this.#last = seq
      for (const listener of this.#listeners) {
        if (listener.channel === channel && listener.since < seq) this.#call(listener, payload)
      }
    }
  }

  #unread(): Row[] {
    try {
      return this.#database.all<Row>('SELECT seq, channel, payload FROM fanout WHERE seq > ? ORDER BY seq', this.#last)
    } catch (error) {
      this.#logger.warn({ err: error }, 'Broadcasts could not be read yet')
      return []
    }
  }

  #call(listener: Listener, payload: string): void {
    try {
      listener.notify(payload)
    } catch (error) {
      this.#logger.error({ err: error }, 'A listener to broadcasts threw')
    }
  }
}

import { Wake } from '../wake.ts'

/** What may have changed: each is watched for on its own, so that a publisher does not wake those who wait for results. */
export type Concern = 'messages' | 'results' | 'fanout'

/** How often the store itself is asked whether anything changed, when files can be watched and when not. */
const SAFETY_POLL_MS = 250
const FAST_POLL_MS = 20

interface Listener {
  readonly notify: () => void
  readonly keepAlive: boolean
}

interface Channel {
  readonly wake: Wake
  readonly listeners: Set<Listener>
}

/** Who listens to changes of one database in this process, and how they hear of those made by others. */
export class Changes {
  readonly #path: string
  readonly #dataVersion: () => number | undefined
  readonly #channels = new Map<Concern, Channel>()
  readonly #marked = new Set<Concern>()
  #poll: NodeJS.Timeout | undefined
  #pollMs = SAFETY_POLL_MS
  #seenVersion: number | undefined

  /** `dataVersion` reads SQLite's own count of other connections' commits. */
  constructor(path: string, dataVersion: () => number | undefined) {
    this.#path = path
    this.#dataVersion = dataVersion
  }

  /** Remembers that the concern changes with the commit under way. */
  mark(concern: Concern): void {
    this.#marked.add(concern)
  }

  /** Tells everyone what was marked, now that it is committed. */
  announce(): void {
    if (this.#marked.size === 0) return
    const marked = [...this.#marked]
    this.#marked.clear()
    for (const concern of marked) {
      this.#channel(concern).wake.touch()
      this.#notify(concern)
    }
  }

  listen(concern: Concern, notify: () => void, keepAlive: boolean): () => void {
    const channel = this.#channel(concern)
    const listener = { notify, keepAlive }
    channel.listeners.add(listener)
    if (channel.listeners.size === 1 && !channel.wake.watch(() => this.#notify(concern))) this.#pollFast()
    this.#adjustPoll()
    return () => {
      if (!channel.listeners.delete(listener)) return
      if (channel.listeners.size === 0) channel.wake.unwatch()
      this.#adjustPoll()
    }
  }

  /** The store's files were made anew: watches those, and has everyone look. */
  reopen(): void {
    for (const [concern, { wake, listeners }] of this.#channels) {
      wake.close()
      if (listeners.size > 0 && !wake.watch(() => this.#notify(concern))) this.#pollFast()
    }
    // A connection's count says nothing about another's.
    this.#seenVersion = undefined
    this.#adjustPoll()
    this.notifyAll()
  }

  /** Has everyone look at the store. */
  notifyAll(): void {
    for (const concern of this.#channels.keys()) this.#notify(concern)
  }

  close(): void {
    for (const channel of this.#channels.values()) {
      channel.listeners.clear()
      channel.wake.close()
    }
    this.#channels.clear()
    this.#adjustPoll()
  }

  #channel(concern: Concern): Channel {
    let channel = this.#channels.get(concern)
    if (channel === undefined) {
      channel = { wake: new Wake(`${this.#path}-${concern}`), listeners: new Set() }
      this.#channels.set(concern, channel)
    }
    return channel
  }

  #notify(concern: Concern): void {
    for (const listener of this.#channel(concern).listeners) listener.notify()
  }

  #pollFast(): void {
    this.#pollMs = FAST_POLL_MS
    clearInterval(this.#poll)
    this.#poll = undefined
  }

  /** Runs the poll exactly while somebody listens; it holds the process exactly while one of them must be kept alive for. */
  #adjustPoll(): void {
    const listeners = [...this.#channels.values()].flatMap((channel) => [...channel.listeners])
    if (listeners.length === 0) {
      clearInterval(this.#poll)
      this.#poll = undefined
      return
    }
    // A timer of its own, not the application's clock: it watches other processes, whose time is real.
    this.#poll ??= setInterval(() => this.#look(), this.#pollMs)
    if (listeners.some((listener) => listener.keepAlive)) this.#poll.ref()
    else this.#poll.unref()
  }

  /** An event may be lost, or the folder may be one that cannot be watched; the count of commits is always right. */
  #look(): void {
    const version = this.#readVersion()
    if (version === this.#seenVersion) return
    this.#seenVersion = version
    this.notifyAll()
  }

  #readVersion(): number | undefined {
    try {
      return this.#dataVersion()
    } catch {
      return undefined
    }
  }
}

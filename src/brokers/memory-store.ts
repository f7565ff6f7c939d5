import type { ConsumerInfo, DeadLetter, Publication, QueueDepth } from '../broker.ts'
import type { Message } from '../protocol/message.ts'

const HIGHEST_PRIORITY = 9

/** A message in memory. */
export interface MemoryMessage {
  readonly id: number
  readonly queue: string
  readonly message: Message
  readonly priority: number
  readonly publishedAtMs: number
  losses: number
  dueAtMs: number
}

/** What all brokers of one `memory:` URL share. */
export class MemoryStore {
  readonly dead: DeadLetter[] = []
  readonly consumers: Map<string, ConsumerInfo> = new Map()
  readonly leases: Map<string, { owner: string; untilMs: number }> = new Map()
  readonly listeners: Map<string, Set<(payload: string) => void>> = new Map()
  /** Called when there may be something to claim, or something new to wait for. */
  readonly wakes: Set<() => void> = new Set()
  users = 0
  /** Of each queue: ready messages by priority, each lane oldest first. */
  readonly #ready = new Map<string, MemoryMessage[][]>()
  readonly #parked = new Set<MemoryMessage>()
  readonly #out = new Set<MemoryMessage>()
  #lastId = 0

  publish(publications: readonly Publication[], nowMs: number): void {
    for (const { queue, message: sent, priority = 0, dueAtMs = 0 } of publications) {
      // A plain object, as from any other broker, whatever makes the parts when they are asked for.
      const { body, contentType, contentEncoding, headers, properties } = sent
      const message = { body, contentType, contentEncoding, headers, properties }
      const lane = Math.min(Math.max(Math.trunc(priority), 0), HIGHEST_PRIORITY)
      this.#put({ id: (this.#lastId += 1), queue, message, priority: lane, publishedAtMs: nowMs, losses: 0, dueAtMs }, nowMs)
    }
    this.#wake()
  }

  /** Takes out at most `limit` ready messages: higher priority first, then the queues in turn, then oldest first. */
  take(queues: readonly string[], limit: number, nowMs: number): MemoryMessage[] {
    for (const message of this.#parked) if (message.dueAtMs <= nowMs && this.#parked.delete(message)) this.#put(message, nowMs)
    const taken: MemoryMessage[] = []
    for (let priority = HIGHEST_PRIORITY; priority >= 0; priority -= 1) {
      let lanes = queues.map((queue) => this.#ready.get(queue)?.[priority] ?? [])
      while ((lanes = lanes.filter((lane) => lane.length > 0)).length > 0 && taken.length < limit) {
        for (const lane of lanes.slice(0, limit - taken.length)) taken.push(...lane.splice(0, 1))
      }
    }
    for (const message of taken) this.#out.add(message)
    return taken
  }

  /** Removes a message that is out. */
  remove(message: MemoryMessage): void {
    this.#out.delete(message)
  }

  /** Puts a message that is out back in its old place, or parks it. */
  giveBack(message: MemoryMessage, dueAtMs: number, nowMs: number): void {
    this.#out.delete(message)
    message.dueAtMs = dueAtMs
    this.#put(message, nowMs)
    this.#wake()
  }

  nextDue(queues: readonly string[]): number | undefined {
    const times = [...this.#parked].filter((message) => queues.includes(message.queue)).map((message) => message.dueAtMs)
    return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b))
  }

  depth(queue: string): QueueDepth {
    const count = (messages: Iterable<{ queue: string }>): number => [...messages].filter((message) => message.queue === queue).length
    const ready = (this.#ready.get(queue) ?? []).reduce((total, lane) => total + lane.length, 0)
    return { ready, unacked: count(this.#out), parked: count(this.#parked), dead: count(this.dead) }
  }

  queues(): string[] {
    const waiting = [...this.#ready].filter(([, lanes]) => lanes.some((lane) => lane.length > 0)).map(([queue]) => queue)
    const others = [...this.#parked, ...this.#out, ...this.dead].map((message) => message.queue)
    return [...new Set([...waiting, ...others])].sort()
  }

  purge(queue: string): number {
    const { ready, parked } = this.depth(queue)
    this.#ready.delete(queue)
    for (const message of this.#parked) if (message.queue === queue) this.#parked.delete(message)
    return ready + parked
  }

  #put(message: MemoryMessage, nowMs: number): void {
    if (message.dueAtMs > nowMs) {
      this.#parked.add(message)
      return
    }
    let lanes = this.#ready.get(message.queue)
    if (lanes === undefined) this.#ready.set(message.queue, (lanes = Array.from({ length: HIGHEST_PRIORITY + 1 }, () => [])))
    const lane = lanes[message.priority] ?? []
    // New ones belong at the end; only what comes back has an older place.
    const last = lane.at(-1)
    lane.push(message)
    if (last !== undefined && last.id > message.id) lane.sort((a, b) => a.id - b.id)
  }

  #wake(): void {
    for (const wake of this.wakes) wake()
  }
}

const storesByUrl = new Map<string, MemoryStore>()

/** The store of a `memory:` URL, made for its first user. */
export function useMemoryStore(url: string): MemoryStore {
  let store = storesByUrl.get(url)
  if (store === undefined) storesByUrl.set(url, (store = new MemoryStore()))
  store.users += 1
  return store
}

/** Gives the store back; the last user drops it. */
export function leaveMemoryStore(url: string, store: MemoryStore): void {
  store.users -= 1
  if (store.users === 0) storesByUrl.delete(url)
}

import { randomUUID } from 'node:crypto'
import type { Logger } from '../../internal/logger.ts'
import type { RedisConnection } from '../../internal/redis/connection.ts'
import type { Keys } from './keys.ts'
import { COMPARE_AND_DELETE, FIND_CLAIMS, RESTORE } from './lua/foreign.ts'
import type { RegisteredConsumer } from './registry.ts'

/** Messages that one round looks at. */
const MOST_AT_ONCE = 50

/** Claims that a search for those of ours looks at and finds, and how often it is made: most of what is out is of foreign workers. */
const MOST_SEARCHED = 10_000
const MOST_FOUND = 1000
const SEARCH_EVERY_MS = 10_000

/** A claim of ours counts as nobody's after so many leases without a renewal, and not before that time. */
const LEASES = 3
const LEAST_NOBODYS_MS = 60_000

/** How long one that could not be put back is left alone, and how many of them are remembered. */
const STUCK_FOR_MS = 600_000
const MOST_STUCK = 1000

const HIGHEST_PRIORITY = 9

const OURS = 'celeriac:'

/** How long claims stay out that nobody renews. */
export interface ForeignClaimsTimes {
  /** Those of foreign workers, which never renew. */
  readonly timeoutMs: number
  /** The lease of our own, as far as their consumers do not say another one. */
  readonly leaseMs: number
}

/** What is to go back, if its score is not above the cutoff by then. */
interface Expired {
  readonly id: string
  readonly cutoff: number
}

/**
 * What foreign workers, or consumers of ours that nobody knows of, have had for too long. Kombu's own sweep, for when no Python runs.
 *
 * A claim of ours can be in nobody's hands though its consumer lives: a server that was frozen carries out commands of connections that
 * were given up.
 */
export class ForeignClaims {
  readonly #connection: RedisConnection
  readonly #keys: Keys
  readonly #logger: Logger
  readonly #times: ForeignClaimsTimes
  /** Those that cannot be put back, said once, and when they are tried again; the first in front. */
  readonly #stuck = new Map<string, number>()
  #searchAtMs = 0

  constructor(parts: { connection: RedisConnection; keys: Keys; logger: Logger }, times: ForeignClaimsTimes) {
    this.#connection = parts.connection
    this.#keys = parts.keys
    this.#logger = parts.logger
    this.#times = times
  }

  /**
   * Puts back what was delivered longer ago than the visibility timeout and not renewed since; what is ours only `withOurs`, and then
   * much sooner. Does nothing while somebody else sweeps.
   */
  async sweep(consumers: readonly RegisteredConsumer[], withOurs: boolean): Promise<void> {
    const expired = [...(await this.#expired(withOurs)), ...(withOurs ? await this.#nobodys(consumers) : [])]
    if (expired.length === 0) return
    const { mutex, layout } = this.#keys
    const token = randomUUID()
    const isOurs = await this.#command('SET', mutex, token, 'NX', 'PX', String(layout.unackedMutexExpireMs))
    if (isOurs === null) return
    try {
      // The newest first: each becomes the next in line.
      for (const one of expired.toReversed()) await this.#restore(one)
    } finally {
      await this.#connection.run((client) => COMPARE_AND_DELETE.run(client, [mutex], [token]))
    }
  }

  async #expired(withOurs: boolean): Promise<Expired[]> {
    const cutoff = (this.#connection.now() - this.#times.timeoutMs) / 1000
    const most = String(MOST_AT_ONCE + this.#stuck.size)
    const ids = (await this.#command('ZRANGEBYSCORE', this.#keys.index, '-inf', String(cutoff), 'LIMIT', '0', most)) as string[]
    const free = ids.filter((id) => !this.#isStuck(id) && (withOurs || !id.startsWith(OURS)))
    return free.slice(0, this.#keys.layout.unackedRestoreLimit).map((id) => ({ id, cutoff }))
  }

  /** Claims of ours that their consumers, though they live, have not renewed for several leases. Those of the dead are the recoverer's. */
  async #nobodys(consumers: readonly RegisteredConsumer[]): Promise<Expired[]> {
    const realMs = performance.now()
    if (realMs < this.#searchAtMs) return []
    const nowMs = this.#connection.now()
    const cutoffFor = (leaseMs: number): number => (nowMs - Math.max(LEAST_NOBODYS_MS, LEASES * leaseMs)) / 1000
    const oldest = `(${(nowMs - this.#times.timeoutMs) / 1000}`
    const range = [oldest, cutoffFor(0), MOST_SEARCHED, MOST_FOUND + this.#stuck.size]
    const found = (await this.#connection.run((client) => FIND_CLAIMS.run(client, [this.#keys.index], [OURS, ...range]))) as string[]
    const registered = new Map(consumers.map((consumer) => [consumer.registration, consumer]))
    const expired: Expired[] = []
    for (let at = 0; at + 1 < found.length; at += 2) {
      const id = found[at] ?? ''
      const owner = registered.get(id.split(':')[1] ?? '')
      const cutoff = cutoffFor(owner?.leaseMs ?? this.#times.leaseMs)
      const isRecoverers = owner !== undefined && owner.leaseUntilMs <= nowMs
      if (!isRecoverers && Number(found[at + 1]) <= cutoff && !this.#isStuck(id)) expired.push({ id, cutoff })
    }
    // There may be more.
    if (expired.length <= MOST_AT_ONCE) this.#searchAtMs = realMs + SEARCH_EVERY_MS
    return expired.slice(0, MOST_AT_ONCE)
  }

  async #restore({ id, cutoff }: Expired): Promise<void> {
    const { unacked, index } = this.#keys
    try {
      const value = await this.#command('HGET', unacked, id)
      const lists = typeof value === 'string' ? await this.#listsOf(value) : []
      if (typeof value === 'string' && lists.length === 0) return this.#leave(id, 'belongs to no known queue')
      const restored = await this.#connection.run((client) => RESTORE.run(client, [unacked, index], [id, cutoff, ...lists]))
      if (restored === -1) return this.#leave(id, 'is not written as kombu writes one')
      this.#stuck.delete(id)
      if (restored !== 1 || typeof value !== 'string') return
      for (const list of lists) this.#connection.invalidate(list)
      this.#logger.info({ deliveryTag: id, lists }, 'Put back a message that a worker did not acknowledge in time')
    } catch (error) {
      // An odd one must not keep the others out. That the connection is lost is no oddity.
      if (!this.#connection.isReady) throw error
      this.#leave(id, `cannot be put back (${error instanceof Error ? error.message : String(error)})`)
    }
  }

  #leave(id: string, why: string): void {
    const isNew = !this.#stuck.delete(id)
    const [first] = this.#stuck.keys()
    if (this.#stuck.size >= MOST_STUCK && first !== undefined) this.#stuck.delete(first)
    else if (isNew) this.#logger.warn({ deliveryTag: id }, `A message that a worker did not acknowledge ${why} and stays unacknowledged`)
    this.#stuck.set(id, performance.now() + STUCK_FOR_MS)
  }

  #isStuck(id: string): boolean {
    const untilMs = this.#stuck.get(id)
    return untilMs !== undefined && performance.now() < untilMs
  }

  /** The lists that the message belongs to; none when they cannot be told. */
  async #listsOf(value: string): Promise<string[]> {
    const parts = parse(value)
    if (parts === undefined) return []
    const [envelope, exchange, routingKey] = parts
    const step = this.#stepOf(envelope.properties?.priority)
    const queues = exchange === '' ? [routingKey] : await this.#bound(exchange, routingKey)
    return queues.filter((queue) => queue !== '').map((queue) => this.#keys.list(queue) + (step > 0 ? `${this.#keys.layout.sep}${step}` : ''))
  }

  /** The queues that an exchange would bring the message to: those bound by a pattern are a topic's, the others by the key itself. */
  async #bound(exchange: string, routingKey: string): Promise<string[]> {
    const members = (await this.#command('SMEMBERS', this.#keys.bindingPrefix + exchange)) as Iterable<string>
    return [...members].flatMap((member) => {
      const [key, pattern, queue] = member.split(this.#keys.layout.sep)
      if (queue === undefined) return []
      const matches = pattern === undefined || pattern === '' ? key === routingKey : topicMatches(key ?? '', routingKey)
      return matches ? [queue] : []
    })
  }

  #stepOf(priority: unknown): number {
    const number = typeof priority === 'number' ? Math.min(Math.max(Math.trunc(priority), 0), HIGHEST_PRIORITY) : 0
    return this.#keys.layout.prioritySteps.reduce((best, step) => (step <= number ? Math.max(best, step) : best), 0)
  }

  #command(...command: string[]): Promise<unknown> {
    return this.#connection.run((client) => client.sendCommand(command))
  }
}

function parse(value: string): [envelope: { properties?: { priority?: unknown } }, exchange: string, routingKey: string] | undefined {
  try {
    const parts = JSON.parse(value) as unknown
    if (!Array.isArray(parts)) return undefined
    const [envelope, exchange, routingKey] = parts as unknown[]
    if (typeof envelope !== 'object' || envelope === null || typeof exchange !== 'string' || typeof routingKey !== 'string') return undefined
    return [envelope, exchange, routingKey]
  } catch {
    return undefined
  }
}

/** As kombu matches on Redis: `*` is any text that does not end with a dot, `#` any text at all, and dots are dots. */
function topicMatches(bindingKey: string, routingKey: string): boolean {
  const words = bindingKey.split('.').map((word) => (word === '*' ? String.raw`.*?[^\.]` : word === '#' ? '.*?' : word.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)))
  return new RegExp(`^${words.join(String.raw`\.`)}$`, 's').test(routingKey)
}

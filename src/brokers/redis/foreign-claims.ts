import { randomUUID } from 'node:crypto'
import type { Logger } from '../../internal/logger.ts'
import type { RedisConnection } from '../../internal/redis/connection.ts'
import type { Keys } from './keys.ts'
import { COMPARE_AND_DELETE, RESTORE } from './lua/foreign.ts'

/** Messages that one round looks at. */
const MOST_AT_ONCE = 50

const HIGHEST_PRIORITY = 9

/** What foreign workers, or consumers of ours that nobody knows of, have had for too long. Kombu's own sweep, for when no Python runs. */
export class ForeignClaims {
  readonly #connection: RedisConnection
  readonly #keys: Keys
  readonly #logger: Logger
  readonly #timeoutMs: number
  /** Those that cannot be put back, said once. */
  readonly #stuck = new Set<string>()

  constructor(parts: { connection: RedisConnection; keys: Keys; logger: Logger }, timeoutMs: number) {
    this.#connection = parts.connection
    this.#keys = parts.keys
    this.#logger = parts.logger
    this.#timeoutMs = timeoutMs
  }

  /** Puts back what was delivered longer ago than the visibility timeout and not renewed since. Does nothing while somebody else sweeps. */
  async sweep(): Promise<void> {
    const cutoff = String((this.#connection.now() - this.#timeoutMs) / 1000)
    const expired = await this.#expired(cutoff)
    if (expired.length === 0) return
    const { mutex, layout } = this.#keys
    const token = randomUUID()
    const isOurs = await this.#command('SET', mutex, token, 'NX', 'PX', String(layout.unackedMutexExpireMs))
    if (isOurs === null) return
    try {
      // The newest first: each becomes the next in line.
      for (const id of expired.toReversed()) await this.#restore(id, cutoff)
    } finally {
      await this.#connection.run((client) => COMPARE_AND_DELETE.run(client, [mutex], [token]))
    }
  }

  async #expired(cutoff: string): Promise<string[]> {
    const most = String(MOST_AT_ONCE + this.#stuck.size)
    const ids = (await this.#command('ZRANGEBYSCORE', this.#keys.index, '-inf', cutoff, 'LIMIT', '0', most)) as string[]
    return ids.filter((id) => !this.#stuck.has(id)).slice(0, this.#keys.layout.unackedRestoreLimit)
  }

  async #restore(id: string, cutoff: string): Promise<void> {
    const { unacked, index } = this.#keys
    const value = await this.#command('HGET', unacked, id)
    const lists = typeof value === 'string' ? await this.#listsOf(value) : []
    if (typeof value === 'string' && lists.length === 0) {
      this.#stuck.add(id)
      this.#logger.warn({ deliveryTag: id }, 'A message that a worker did not acknowledge belongs to no known queue and stays unacknowledged')
      return
    }
    const restored = await this.#connection.run((client) => RESTORE.run(client, [unacked, index], [id, cutoff, ...lists]))
    if (restored === 1 && typeof value === 'string') this.#logger.info({ deliveryTag: id, lists }, 'Put back a message that a worker did not acknowledge in time')
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

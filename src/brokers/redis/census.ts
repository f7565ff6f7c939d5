import type { DeadLetter, QueueDepth } from '../../broker.ts'
import type { RedisConnection } from '../../internal/redis/connection.ts'
import type { Keys } from './keys.ts'
import { COUNT_UNACKED, PURGE, READ_DEAD } from './lua/census.ts'
import { tryReadMessage } from './stored-message.ts'

const DEFAULT_DEAD_LETTERS = 100

/** Dead letters that are read at once. */
const READ_AT_ONCE = 100

/** Keys that a search for queues of Python's looks at, at most: a database may hold millions of results. */
const SCANNED_AT_ONCE = 1000
const MOST_SCANS = 50

/** Counts and lists what a broker holds. */
export class Census {
  readonly #connection: RedisConnection
  readonly #keys: Keys

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection
    this.#keys = keys
  }

  async depth(queue: string): Promise<QueueDepth> {
    const lists = this.#keys.lists(queue)
    const [out, parked, dead, ...ready] = await Promise.all([
      this.#unacked(),
      this.#command('ZCARD', this.#keys.parked(queue)),
      this.#command('HGET', this.#keys.deadCounts, queue),
      ...lists.map((list) => this.#command('LLEN', list)),
    ])
    return { ready: ready.reduce<number>((sum, count) => sum + Number(count), 0), unacked: out.get(queue) ?? 0, parked: Number(parked), dead: Number(dead ?? 0) }
  }

  /** Every queue with a message, waiting, parked, out or given up, in alphabetical order. */
  async queues(): Promise<string[]> {
    const [known, bound, dead, out] = await Promise.all([this.#command('SMEMBERS', this.#keys.queues), this.#bound(), this.#command('HKEYS', this.#keys.deadCounts), this.#unacked()])
    const candidates = new Set([...(known as Iterable<string>), ...bound])
    const waiting = await Promise.all(
      [...candidates].map(async (queue) => ({ queue, found: Number(await this.#command('EXISTS', ...this.#keys.lists(queue), this.#keys.parked(queue))) > 0 })),
    )
    const found = waiting.filter((one) => one.found).map((one) => one.queue)
    return [...new Set([...found, ...(dead as string[]), ...out.keys()])].sort()
  }

  async purge(queue: string): Promise<number> {
    const { queues, deadCounts } = this.#keys
    const hasOut = (await this.#unacked()).has(queue)
    const tables = [queues, deadCounts, this.#keys.parked(queue), ...this.#keys.lists(queue)]
    return Number(await this.#connection.run((client) => PURGE.run(client, tables, [queue, hasOut ? 1 : 0])))
  }

  /** The newest dead letters first. */
  async deadLetters({ queue, limit = DEFAULT_DEAD_LETTERS }: { queue?: string; limit?: number }): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = []
    for (let first = 0; letters.length < limit; first += READ_AT_ONCE) {
      const last = queue === undefined ? Math.min(first + READ_AT_ONCE, limit) - 1 : first + READ_AT_ONCE - 1
      const read = (await this.#connection.run((client) => READ_DEAD.run(client, [this.#keys.dead], [first, last]))) as string[]
      letters.push(...read.map(readLetter).filter((letter) => letter !== undefined && (queue === undefined || letter.queue === queue)).filter((letter) => letter !== undefined))
      if (read.length < READ_AT_ONCE) break
    }
    return letters.slice(0, limit)
  }

  /** Queues that Python has bound to an exchange, as far as a short search finds them. */
  async #bound(): Promise<string[]> {
    const prefix = this.#keys.bindingPrefix
    const pattern = `${prefix.replaceAll(/[\\*?[\]^-]/g, String.raw`\$&`)}*`
    const queues: string[] = []
    let cursor = '0'
    for (let scans = 0; scans < MOST_SCANS; scans += 1) {
      const [next, keys] = (await this.#command('SCAN', cursor, 'MATCH', pattern, 'COUNT', String(SCANNED_AT_ONCE))) as [string, string[]]
      const bindings = await Promise.all(keys.map((key) => this.#command('SMEMBERS', key)))
      for (const member of bindings.flatMap((members) => [...(members as Iterable<string>)])) queues.push(member.split(this.#keys.layout.sep).at(-1) ?? '')
      cursor = next
      if (cursor === '0') break
    }
    return queues
  }

  /** How many messages of each queue are out. */
  async #unacked(): Promise<Map<string, number>> {
    const counts = new Map<string, number>()
    let cursor = '0'
    do {
      const [next, ...pairs] = (await this.#connection.run((client) => COUNT_UNACKED.run(client, [this.#keys.unacked], [cursor]))) as (string | number)[]
      for (let at = 0; at + 1 < pairs.length; at += 2) counts.set(String(pairs[at]), (counts.get(String(pairs[at])) ?? 0) + Number(pairs[at + 1]))
      cursor = String(next)
    } while (cursor !== '0')
    return counts
  }

  #command(...command: string[]): Promise<unknown> {
    return this.#connection.run((client) => client.sendCommand(command))
  }
}

/** Undefined for what somebody else put there. */
function readLetter(text: string): DeadLetter | undefined {
  const end = text.indexOf('\n')
  try {
    const { queue, reason, detail, diedAtMs, message } = JSON.parse(end === -1 ? text : text.slice(0, end)) as DeadLetter
    if (reason === 'malformed') return { queue, reason, detail, diedAtMs, message }
    const read = tryReadMessage(text.slice(end + 1))
    return { queue, reason, detail, diedAtMs, message: typeof read === 'string' ? undefined : read.message }
  } catch {
    return undefined
  }
}

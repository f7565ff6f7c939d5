import type { DeadLetter } from '../../broker.ts'
import type { RedisConnection } from '../../internal/redis/connection.ts'
import type { RedisScript } from '../../internal/redis/script.ts'
import type { Keys } from './keys.ts'
import { ACK, BEGIN, BURY, GIVE_BACK } from './lua/settle.ts'
import { inParts, TurnBatch } from './turn-batch.ts'

/** Messages that one script handles, so that none holds up the server for long. */
const MOST_AT_ONCE = 500

/** How long an acknowledgement waits for others: each by itself costs the server and us as much as storing the result did. */
const ACK_WITHIN_MS = 5

/** A message that goes back. */
export interface GivenBack {
  readonly id: string
  /** Grows with each claim of a consumer: what was claimed first is to be next in line. */
  readonly number: number
  /** How often it counts as lost from now on; absent for what is written in it. */
  readonly losses?: number
  /** When it may be delivered again, in milliseconds since 1970; absent for at once. */
  readonly dueAtMs?: number
}

/**
 * What becomes of messages that are out. What is asked for at about the same time goes out together.
 *
 * Each names the claim, which nobody else ever has: doing it twice changes nothing, so it is done again when the connection
 * broke, and a claim that was lost to somebody else is passed over.
 */
export class Settlements {
  readonly #connection: RedisConnection
  readonly #keys: Keys
  readonly #acked = new TurnBatch<string>((ids) => this.#each(ids, (part) => this.#run(ACK, part)), { gatherMs: ACK_WITHIN_MS })
  readonly #begun = new TurnBatch<readonly [id: string, losses: number]>((begun) =>
    this.#each(begun, (part) => this.#run(BEGIN, part.flat())),
  )
  readonly #returned = new TurnBatch<GivenBack>((items) => this.giveBack(items))

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection
    this.#keys = keys
  }

  /** `atOnce`: somebody waits for it. Otherwise it goes with others. */
  ack(id: string, atOnce = false): Promise<void> {
    const acked = this.#acked.add(id)
    if (atOnce) this.#acked.flush()
    return acked
  }

  /** Sends what has not been sent yet. */
  flush(): void {
    this.#acked.flush()
  }

  /** Has it count as lost `losses` times should nobody settle it. */
  begin(id: string, losses: number): Promise<void> {
    return this.#begun.add([id, losses])
  }

  /** Puts one back, together with the others of this turn. */
  requeue(item: GivenBack): Promise<void> {
    return this.#returned.add(item)
  }

  /** Puts messages back, the oldest to be next. */
  async giveBack(items: readonly GivenBack[]): Promise<number> {
    if (items.length === 0) return 0
    const { layout, parkedPrefix } = this.#keys
    const newestFirst = items.toSorted((a, b) => b.number - a.number)
    try {
      return await this.#each(newestFirst, (part) => {
        const args = part.flatMap(({ id, losses, dueAtMs }) => [id, losses ?? '', dueAtMs === undefined ? '' : Math.ceil(dueAtMs)])
        return this.#run(GIVE_BACK, [layout.keyPrefix, layout.sep, parkedPrefix, ...args])
      })
    } finally {
      // Some may be there even when others failed.
      this.#connection.invalidate(null)
    }
  }

  /** Moves messages to the dead letters. */
  async bury(letters: readonly (DeadLetter & { readonly id: string })[]): Promise<void> {
    const { dead, deadCounts } = this.#keys
    const { unacked, index } = this.#keys
    const args = letters.flatMap(({ id, queue, reason, detail, diedAtMs, message }) => {
      // Of one that cannot be read all that could be is in the line, since the rest may be of any size.
      const line = JSON.stringify({ queue, reason, detail, diedAtMs, ...(reason === 'malformed' && { message }) }, bigintAsNumber)
      return [id, queue, line]
    })
    await this.#connection.runRepeatable((client) => BURY.run(client, [unacked, index, dead, deadCounts], args))
  }

  #run(script: RedisScript, args: readonly (string | number)[]): Promise<unknown> {
    const { unacked, index } = this.#keys
    return this.#connection.runRepeatable((client) => script.run(client, [unacked, index], args))
  }

  /** In parts that follow each other without waiting; resolves to the sum of what they say. */
  async #each<T>(items: readonly T[], send: (part: readonly T[]) => Promise<unknown>): Promise<number> {
    const replies = await Promise.all(inParts(items, MOST_AT_ONCE).map(send))
    return replies.reduce<number>((sum, reply) => sum + (Number(reply) || 0), 0)
  }
}

function bigintAsNumber(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

import type { RedisConnection } from '../../internal/redis/connection.ts'
import type { Message } from '../../protocol/message.ts'
import type { Keys } from './keys.ts'
import { CLAIM } from './lua/claim.ts'
import type { Settlements } from './settlements.ts'
import { MessageReader } from './message-reader.ts'
import { type ReadMessage, tryReadMessage } from './stored-message.ts'

/** Parked messages that one claim puts back at most. */
const MOST_UNPARKED = 100

/** A message that was claimed and can be read. */
export interface ClaimedMessage {
  readonly id: string
  readonly number: number
  readonly queue: string
  readonly read: ReadMessage
}

/** One that cannot. It is out, and to be buried. */
export interface UnreadableMessage {
  readonly id: string
  readonly queue: string
  readonly detail: string
  readonly message: Message | undefined
}

/** What one claim took. */
export interface Claimed {
  readonly messages: readonly ClaimedMessage[]
  readonly unreadable: readonly UnreadableMessage[]
  /** Nothing ready was left in the queues. */
  readonly isDrained: boolean
  /** When the next parked message is due, in milliseconds since 1970. */
  readonly nextDueAtMs: number | undefined
}

/** What the claims of a consumer are made of. */
export interface ClaimsParts {
  readonly connection: RedisConnection
  readonly keys: Keys
  readonly settlements: Settlements
  readonly maxMessageSize: number
}

/** Takes messages for one consumer out of its queues. */
export class Claims {
  readonly #parts: ClaimsParts
  readonly #queues: readonly string[]
  /** The first queue that has something is always the next. */
  readonly #isStrict: boolean
  /** Which queue is first in the next claim. */
  #turn = 0
  #nextNumber = 1
  readonly #lists: readonly string[]
  readonly #parked: readonly string[]
  readonly #watched: readonly string[]
  /** What the script is told of each queue, by its name. */
  readonly #places: ReadonlyMap<string, readonly string[]>
  /** Steps of priority, as the lists' names end with them. */
  readonly #steps: readonly string[]
  readonly #reader = new MessageReader()
  /** Ids of claims of which we do not know whether they exist: the connection broke before the reply. */
  #doubtful: string[] = []

  constructor(parts: ClaimsParts, queues: readonly string[]) {
    this.#parts = parts
    const { keys } = parts
    const { queueOrderStrategy } = keys.layout
    this.#queues = queueOrderStrategy === 'sorted' ? [...new Set(queues)].toSorted() : [...new Set(queues)]
    this.#isStrict = queueOrderStrategy !== 'round_robin'
    this.#lists = this.#queues.flatMap((queue) => keys.lists(queue))
    this.#parked = this.#queues.map((queue) => keys.parked(queue))
    this.#watched = [...this.#lists, ...this.#parked]
    this.#places = new Map(this.#queues.map((queue) => [queue, [keys.list(queue), keys.parked(queue), `, "", ${JSON.stringify(queue)}]`]]))
    this.#steps = keys.layout.prioritySteps.filter((step) => step > 0).map(String)
  }

  /** Whether there may be something to claim when this key has changed. */
  watches(key: string): boolean {
    return this.#watched.includes(key)
  }

  /** Whether there is anything to claim. As after a claim that left nothing, the server tells when that changes. */
  async isReady(): Promise<boolean> {
    const commands = [this.#lists, this.#parked].map((keys) => ['EXISTS', ...keys])
    const [ready] = await this.#parts.connection.run((client) => Promise.all(commands.map((command) => client.sendCommand(command))))
    return Number(ready) > 0
  }

  /** Takes up to `limit` messages, oldest first; undefined when the registration is gone. */
  async take(registration: string, limit: number): Promise<Claimed | undefined> {
    await this.giveBackDoubtful()
    const { connection, keys, maxMessageSize } = this.#parts
    const queues = this.#queues.map((_, index) => this.#queues[(index + this.#turn) % this.#queues.length] ?? '')
    if (!this.#isStrict) this.#turn += 1
    const first = this.#nextNumber
    this.#nextNumber += limit
    const nowMs = connection.now()
    // A body of the allowed size has that length in base64; a text that is not longer needs no closer look.
    const measured = Math.ceil(maxMessageSize / 3) * 4
    const args = [registration, Math.floor(nowMs), nowMs / 1000, limit, first, MOST_UNPARKED, measured, maxMessageSize, queues.length, this.#isStrict ? 1 : 0]
    const stores = [keys.consumerLeases, keys.unacked, keys.index]
    const places = queues.flatMap((queue) => this.#places.get(queue) ?? [])
    let reply: ClaimReply | null
    try {
      reply = (await connection.run((client) => CLAIM.run(client, this.#watched, [...args, ...stores, ...places, keys.layout.sep, ...this.#steps]))) as ClaimReply | null
    } catch (error) {
      this.#doubtRange(registration, first, limit)
      throw error
    }
    return reply === null ? undefined : this.#read(reply, { registration, first, limit, queues })
  }

  /** These may be out, and are to go back. */
  doubt(ids: readonly string[]): void {
    this.#doubtful.push(...ids)
  }

  /** Nothing of what may be out is ours any more. */
  forget(): void {
    this.#doubtful = []
  }

  async giveBackDoubtful(): Promise<void> {
    const ids = this.#doubtful
    if (ids.length === 0) return
    await this.#parts.settlements.giveBack(ids.map((id) => ({ id, number: Number(id.split(':')[2]) })))
    this.#doubtful = this.#doubtful.filter((id) => !ids.includes(id))
  }

  #doubtRange(registration: string, first: number, limit: number): void {
    for (let number = first; number < first + limit; number += 1) {
      this.doubt(['', ...this.#steps].map((step) => claimId(registration, number, step)))
    }
  }

  #read([due, ...lists]: ClaimReply, { registration, first, limit, queues }: { registration: string; first: number; limit: number; queues: readonly string[] }): Claimed {
    const messages: ClaimedMessage[] = []
    const unreadable: UnreadableMessage[] = []
    let number = first
    for (let at = 0; at + 2 < lists.length; at += 3) {
      const queue = queues[Number(lists[at]) - 1] ?? ''
      const step = String(lists[at + 1])
      for (const element of lists[at + 2] as readonly ClaimedElement[]) {
        const id = claimId(registration, number, step)
        const read = typeof element === 'string' ? this.#reader.read(element) : this.#tooLarge(element)
        if (typeof read === 'string') unreadable.push({ id, queue, detail: read, message: undefined })
        else if ('detail' in read) unreadable.push({ id, queue, ...read })
        else messages.push({ id, number, queue, read })
        number += 1
      }
    }
    return { messages, unreadable, isDrained: limit > 0 && number - first < limit, nextDueAtMs: due === '' ? undefined : Number(due) }
  }

  #tooLarge([size, envelope]: readonly [size: string, envelope: string]): { detail: string; message: Message | undefined } {
    const read = tryReadMessage(envelope)
    const detail = `The body has ${size} bytes, more than the ${this.#parts.maxMessageSize} that taskMessageMaxSize allows.`
    return { detail, message: typeof read === 'string' ? undefined : read.message }
  }
}

/** An envelope, or the size of its body and the rest of it. */
type ClaimedElement = string | readonly [size: string, envelope: string]

/** What the script says: when the next parked message is due, then queue, step and messages of each list. */
type ClaimReply = readonly [due: string, ...lists: (number | string | readonly ClaimedElement[])[]]

function claimId(registration: string, number: number, step: string): string {
  return `celeriac:${registration}:${number}${step === '' ? '' : `:${step}`}`
}

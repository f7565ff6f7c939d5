import type { Publication } from '../../broker.ts'
import type { RedisConnection } from '../../internal/redis/connection.ts'
import type { Keys } from './keys.ts'
import { PUBLISH } from './lua/publish.ts'
import { storeMessage, type StoredMessage } from './stored-message.ts'
import { TurnBatch } from './turn-batch.ts'

/** Messages and characters that share a command, so that none holds up the server for long. A call is never divided. */
const MOST_MESSAGES = 2000
const MOST_CHARACTERS = 4_000_000

/** A queue is declared again after that long, in case somebody emptied the database. */
const DECLARED_FOR_MS = 10_000

/** A publication, encoded. */
interface Prepared extends StoredMessage {
  readonly queue: string
  /** 0 for at once. */
  readonly dueAtMs: number
}

/** Brings messages into their lists. Calls that follow each other without a pause go out together. */
export class Publisher {
  readonly #connection: RedisConnection
  readonly #keys: Keys
  readonly #declaredAtMs = new Map<string, number>()
  #lastStamp = 0
  readonly #calls = new TurnBatch<readonly Prepared[]>((calls) => Promise.all(shareCommands(calls).map((messages) => this.#send(messages))))

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection
    this.#keys = keys
  }

  /**
   * Resolves when the server has the messages, all of them or none.
   *
   * When the connection breaks before the reply they are sent again, and may then be there twice.
   * @throws `TypeError` when a header of one of them cannot be written as JSON, or a queue cannot have that name; the calls of others are not touched.
   */
  publish(publications: readonly Publication[]): Promise<void> {
    if (publications.length === 0) return Promise.resolve()
    const nowMs = this.#connection.now()
    const prepared = publications.map((publication) => {
      const { dueAtMs = 0, queue } = publication
      this.#keys.checkQueue(queue)
      const { text, urgency } = storeMessage(publication, this.#stamp(nowMs))
      return { text, urgency, queue, dueAtMs: dueAtMs > nowMs ? dueAtMs : 0 }
    })
    return this.#calls.add(prepared)
  }

  /** Makes queues known to kombu and to us, where that was not done lately. */
  async declare(queues: readonly string[]): Promise<void> {
    const declarations = queues.flatMap((queue) => this.#declaration(queue))
    if (declarations.length > 0) await this.#connection.runRepeatable((client) => PUBLISH.run(client, [], declarations))
  }

  /** After a new connection, or when everything was gone, nothing counts as declared. */
  forgetDeclared(): void {
    this.#declaredAtMs.clear()
  }

  async #send(messages: readonly Prepared[]): Promise<void> {
    const [first] = messages
    if (first === undefined) return
    const lists = new Map<string, string[]>()
    const others: (string | number)[] = []
    const queues = new Set(messages.map((message) => message.queue))
    for (const queue of queues) others.push(...this.#declaration(queue))
    for (const message of messages) {
      if (message.dueAtMs > 0) others.push('park', this.#keys.parked(message.queue), Math.ceil(message.dueAtMs), 1, `0:${message.text}`)
      else if (message.urgency === 0) gather(lists, message.queue, message.text)
    }
    others.push(...this.#urgent(messages))

    try {
      const [only] = lists
      if (only !== undefined && lists.size === 1 && others.length === 0) {
        const command = ['LPUSH', this.#keys.list(only[0]), ...only[1]]
        await this.#connection.runRepeatable((client) => client.sendCommand(command))
      } else {
        for (const [queue, texts] of lists) others.push('push', this.#keys.list(queue), '', texts.length, ...texts)
        await this.#connection.runRepeatable((client) => PUBLISH.run(client, [], others))
      }
    } finally {
      // Some may be there even when others failed.
      for (const queue of queues) {
        for (const key of [this.#keys.list(queue), this.#keys.parked(queue)]) this.#connection.invalidate(key)
      }
    }
  }

  /** The time with thousandths of a millisecond, another one for each message of this process: it says which was first. */
  #stamp(nowMs: number): number {
    this.#lastStamp = Math.max(Math.floor(nowMs * 1000), this.#lastStamp + 1)
    return this.#lastStamp / 1000
  }

  #urgent(messages: readonly Prepared[]): (string | number)[] {
    const places = new Map<string, string[]>()
    for (const { queue, text, urgency, dueAtMs } of messages) if (urgency > 0 && dueAtMs === 0) gather(places, `${urgency}${queue}`, text)
    return [...places].flatMap(([place, texts]) => ['place', this.#keys.list(place.slice(1)), place.slice(0, 1), texts.length, ...texts])
  }

  #declaration(queue: string): (string | number)[] {
    const nowMs = performance.now()
    const declaredAtMs = this.#declaredAtMs.get(queue)
    if (declaredAtMs !== undefined && nowMs - declaredAtMs < DECLARED_FOR_MS) return []
    this.#forgetOld(nowMs)
    // Behind the others, so that the oldest stay in front.
    this.#declaredAtMs.delete(queue)
    this.#declaredAtMs.set(queue, nowMs)
    const { key, member } = this.#keys.binding(queue)
    return ['add', key, '', 1, member, 'add', this.#keys.queues, '', 1, queue]
  }

  #forgetOld(nowMs: number): void {
    for (const [queue, declaredAtMs] of this.#declaredAtMs) {
      if (nowMs - declaredAtMs < DECLARED_FOR_MS) return
      this.#declaredAtMs.delete(queue)
    }
  }
}

function shareCommands(calls: readonly (readonly Prepared[])[]): Prepared[][] {
  const commands: Prepared[][] = []
  let characters = Infinity
  for (const call of calls) {
    const last = commands.at(-1)
    if (last === undefined || last.length >= MOST_MESSAGES || characters >= MOST_CHARACTERS) {
      commands.push([...call])
      characters = 0
    } else {
      for (const message of call) last.push(message)
    }
    for (const { text } of call) characters += text.length
  }
  return commands
}

function gather(texts: Map<string, string[]>, key: string, text: string): void {
  const there = texts.get(key)
  if (there === undefined) texts.set(key, [text])
  else there.push(text)
}

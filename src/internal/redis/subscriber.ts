import { ClosedError, OperationalError } from '../../errors.ts'
import type { Logger } from '../logger.ts'
import type { MessageListener, RedisClient } from './client.ts'
import { RedisConnection, type RedisConnectionOptions } from './connection.ts'

/** How long the server may go on sending what nobody listens to any more. */
const UNSUBSCRIBE_AFTER_MS = 100

/** One listener; the same function may listen twice. */
interface Ear<Message> {
  readonly hear: (message: Message) => void
}

/** One that listens to all channels of a glob pattern. */
export interface PatternListener<Message> {
  hear(message: Message, channel: string): void
  /** The server refuses it now, after a reconnection. */
  ended(): void
}

/** What is listened to on one channel. */
interface Channel<Message> {
  readonly ears: Set<Ear<Message>>
  /** Settles when the server has answered to the subscription. */
  confirmed: Promise<void>
}

/** A pub/sub connection of its own, opened with the first subscription, for any number of channels. Messages are text, or all are bytes. */
export class RedisSubscriber<Message extends string | Buffer = string> {
  readonly #name: string
  readonly #logger: Logger
  readonly #connection: RedisConnection
  readonly #asBytes: boolean
  readonly #channels = new Map<string, Channel<Message>>()
  readonly #backListeners = new Set<() => void>()
  /** Who listens to all channels of a glob pattern. */
  readonly #patterns = new Map<string, PatternListener<Message>>()
  /** What the server was told to send us on this client. */
  readonly #told = new Set<string>()
  readonly #toldPatterns = new Map<string, MessageListener>()
  #toldBy: RedisClient | undefined
  /** Channels that may have to be told. */
  readonly #changed = new Set<string>()
  #telling: Promise<void> | undefined
  #tellTimer: NodeJS.Timeout | undefined
  #confirming: Promise<void> | undefined
  #isClosed = false

  constructor(options: RedisConnectionOptions, ...[as]: Message extends string ? [] : [as: 'bytes']) {
    this.#asBytes = as === 'bytes'
    this.#name = options.name
    this.#logger = options.logger
    this.#connection = new RedisConnection({ ...options, tracking: false })
    this.#connection.onChange((fault) => {
      if (fault === undefined) void this.#resubscribe()
    })
  }

  /** How many channels are listened to. */
  get channels(): number {
    return this.#channels.size
  }

  /**
   * Calls `listener` with each message on `channel`. Resolves when the server has confirmed, to a function that ends it:
   * no call begins after that. Calls of one turn of the event loop share a SUBSCRIBE.
   */
  async subscribe(channel: string, listener: (message: Message) => void): Promise<() => void> {
    if (this.#isClosed) throw new ClosedError(`${this.#name} was closed. Open another one.`)
    const ear: Ear<Message> = { hear: listener }
    const entry = this.#channels.get(channel) ?? this.#add(channel)
    entry.ears.add(ear)
    try {
      await entry.confirmed
    } catch (error) {
      this.#remove(channel, entry, ear)
      throw error
    }
    return () => this.#remove(channel, entry, ear)
  }

  /**
   * Tells `listener` of each message on any channel that the glob pattern matches; one listener for each pattern. Resolves and ends as
   * `subscribe` does.
   */
  async subscribePattern(pattern: string, listener: PatternListener<Message>): Promise<() => void> {
    if (this.#isClosed) throw new ClosedError(`${this.#name} was closed. Open another one.`)
    const end = (): void => {
      // Where the connection is lost, the next one is not told of it.
      if (this.#patterns.delete(pattern) && this.#connection.isReady) this.#tellPatternsNow().catch(() => {})
    }
    this.#patterns.set(pattern, listener)
    try {
      await this.#tellPatternsNow()
      // A connection that was made meanwhile may have told of it already, and have been refused.
      if (this.#patterns.get(pattern) !== listener) throw new OperationalError(`${this.#name} does not allow to listen to "${pattern}".`)
    } catch (error) {
      end()
      throw error
    }
    return end
  }

  /** Calls `listener` after each reconnection, when every channel is subscribed again: what came meanwhile was missed. */
  onBack(listener: () => void): () => void {
    this.#backListeners.add(listener)
    return () => void this.#backListeners.delete(listener)
  }

  /** Keeps the process alive from now on. */
  ref(): void {
    this.#connection.ref()
  }

  /** No longer keeps the process alive. */
  unref(): void {
    this.#connection.unref()
  }

  /** Ends every subscription, then the connection, after at most so long. Safe to call twice. */
  async close(timeoutMs?: number): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#tellTimer)
    this.#channels.clear()
    this.#patterns.clear()
    await this.#connection.close(timeoutMs)
  }

  #add(channel: string): Channel<Message> {
    this.#changed.add(channel)
    const entry: Channel<Message> = { ears: new Set(), confirmed: this.#tellSoon() }
    this.#channels.set(channel, entry)
    return entry
  }

  #remove(channel: string, entry: Channel<Message>, ear: Ear<Message>): void {
    if (!entry.ears.delete(ear) || entry.ears.size > 0 || this.#channels.get(channel) !== entry) return
    this.#channels.delete(channel)
    this.#changed.add(channel)
    this.#tellLater()
  }

  /** What is no longer wanted is told together with the next subscription, or soon: its messages are passed over meanwhile. */
  #tellLater(): void {
    this.#tellTimer ??= setTimeout(() => {
      this.#tellTimer = undefined
      // Where the connection is lost, the next one is not told of the channel.
      if (this.#changed.size > 0 && this.#connection.isReady) this.#tellSoon().catch(() => {})
    }, UNSUBSCRIBE_AFTER_MS).unref()
  }

  /** Tells the server of what changed in this turn, together. */
  #tellSoon(): Promise<void> {
    this.#telling ??= Promise.resolve().then(() => {
      this.#telling = undefined
      return this.#connection.runRepeatable((client) => this.#tell(client))
    })
    return this.#telling
  }

  /** Makes the subscriptions of `client` what is listened to. */
  async #tell(client: RedisClient): Promise<void> {
    if (this.#toldBy !== client) this.#startOver(client)
    const wanted: string[] = []
    const unwanted: string[] = []
    for (const channel of this.#changed) {
      if (this.#channels.has(channel) && !this.#told.has(channel)) wanted.push(channel)
      else if (!this.#channels.has(channel) && this.#told.has(channel)) unwanted.push(channel)
    }
    this.#changed.clear()
    for (const channel of wanted) this.#told.add(channel)
    for (const channel of unwanted) this.#told.delete(channel)
    const told = Promise.all([
      unwanted.length > 0 && client.unsubscribe(unwanted, this.#heard, this.#asBytes),
      wanted.length > 0 && client.subscribe(wanted, this.#heard, this.#asBytes).catch((error: unknown) => this.#refused(client, wanted, error)),
    ])
    // What another call has told of already may not be confirmed yet.
    // Without what they settled to, which would hold all of those before.
    this.#confirming = Promise.allSettled([this.#confirming, told]).then(() => {})
    await Promise.all([told, this.#confirming])
  }

  #tellPatternsNow(): Promise<void> {
    return this.#connection.runRepeatable((client) => this.#tellPatterns(client))
  }

  /** Makes the patterns of `client` those that are listened to. */
  async #tellPatterns(client: RedisClient): Promise<void> {
    if (this.#toldBy !== client) this.#startOver(client)
    const telling: Promise<void>[] = []
    for (const [pattern, hear] of this.#toldPatterns) {
      if (this.#patterns.has(pattern)) continue
      this.#toldPatterns.delete(pattern)
      telling.push(client.pUnsubscribe(pattern, hear, this.#asBytes))
    }
    for (const [pattern, listener] of this.#patterns) {
      if (this.#toldPatterns.has(pattern)) continue
      const hear = (message: Message, channel: string | Buffer): void => this.#safely(() => listener.hear(message, String(channel)))
      this.#toldPatterns.set(pattern, hear)
      telling.push(client.pSubscribe(pattern, hear, this.#asBytes))
    }
    try {
      await Promise.all(telling)
    } catch (error) {
      // Not known which: all are told again.
      if (client === this.#toldBy) this.#toldPatterns.clear()
      throw error
    }
  }

  /** A new client knows of nothing. */
  #startOver(client: RedisClient): void {
    this.#toldBy = client
    this.#told.clear()
    this.#toldPatterns.clear()
    for (const channel of this.#channels.keys()) this.#changed.add(channel)
  }

  #refused(client: RedisClient, wanted: readonly string[], error: unknown): never {
    if (client === this.#toldBy) for (const channel of wanted) this.#told.delete(channel)
    throw error
  }

  async #resubscribe(): Promise<void> {
    if (this.#channels.size === 0 && this.#patterns.size === 0) return
    try {
      await Promise.all([this.#connection.runRepeatable((client) => this.#tell(client)), this.#retellPatterns()])
    } catch (error) {
      // Lost again, or closed: the next connection brings them back.
      if (!this.#connection.isReady) return
      this.#logger.error({ err: error }, `${this.#name} refuses what was listened to before.`)
    }
    for (const listener of this.#backListeners) this.#safely(listener)
  }

  /** What the server now refuses ends, and whoever listens hears of it. */
  async #retellPatterns(): Promise<void> {
    if (this.#patterns.size === 0) return
    try {
      await this.#tellPatternsNow()
    } catch (error) {
      if (!this.#connection.isReady) throw error
      const refused = [...this.#patterns.values()]
      this.#patterns.clear()
      for (const listener of refused) this.#safely(() => listener.ended())
    }
  }

  readonly #heard = (message: Message, channel: string | Buffer): void => {
    const entry = this.#channels.get(String(channel))
    if (entry === undefined) return
    for (const ear of entry.ears) this.#safely(() => ear.hear(message))
  }

  /** An error of a listener must not reach the reader of the socket, which would take it for a broken reply. */
  #safely(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#logger.error({ err: error }, `A listener of ${this.#name} failed.`)
    }
  }
}

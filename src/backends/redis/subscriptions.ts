import type { StoredResult } from '../../backend.ts'
import type { Clock } from '../../internal/clock.ts'
import type { Logger } from '../../internal/logger.ts'
import type { RedisSubscriber } from '../../internal/redis/subscriber.ts'
import { ResultListeners } from '../listeners.ts'
import type { ResultKeys } from './keys.ts'
import { OwnResults, type PatternSubscriber } from './own-results.ts'
import type { Kept, ResultForm } from './result-form.ts'

/** Records that are read in one go. */
const READ_AT_ONCE = 500

const RETRY_MS = 1000

const COVERED: Promise<() => void> = Promise.resolve(() => {})

/** No task ends sooner than this after it was sent. */
const CONFIRMED_WITHIN_MS = 0.3

/** What is used of a subscriber: one of text, or one of bytes. */
export interface ResultSubscriber extends Pick<RedisSubscriber, 'onBack' | 'ref' | 'unref'>, PatternSubscriber {
  subscribe(channel: string, listener: (kept: Kept) => void): Promise<() => void>
}

/** What {@link ResultSubscriptions} needs. */
export interface ResultSubscriptionsOptions {
  readonly subscriber: ResultSubscriber
  readonly keys: ResultKeys
  readonly form: ResultForm
  readonly clock: Clock
  readonly logger: Logger
  /** Reads what is stored for at most {@link READ_AT_ONCE} ids. */
  readonly read: (ids: readonly string[]) => Promise<StoredResult[]>
}

/**
 * The results that this process waits for, over one connection: a channel each, as Celery has it, or one subscription for all of its
 * own (`own-results.ts`).
 *
 * What is stored while the server has not yet confirmed a subscription is pushed to nobody. So what is there is read after
 * the confirmation; likewise after the connection was lost. Those that begin in one turn of the event loop go out together.
 */
export class ResultSubscriptions {
  readonly #options: ResultSubscriptionsOptions
  readonly #listeners: ResultListeners
  readonly #channels = new Map<string, Channel>()
  readonly #stopHearingOfReconnects: () => void
  readonly #own: OwnResults
  #next: Catching | undefined
  #saidUnreadable = false

  constructor(options: ResultSubscriptionsOptions) {
    this.#options = options
    this.#listeners = new ResultListeners(options.logger)
    this.#stopHearingOfReconnects = options.subscriber.onBack(() => this.#catchUp(this.#channels.values()))
    const { clock, keys, subscriber } = options
    this.#own = new OwnResults({ subscriber, keys, clock, hear: (id, kept) => this.#hearOwn(id, kept), onEnd: () => this.#uncover() })
  }

  /** As the contract of result backends says. */
  subscribe(id: string, listener: (record: StoredResult) => void): () => void {
    const stop = this.#listen(id, listener)
    const channel = this.#channels.get(id)
    if (channel !== undefined && !channel.isCaughtUp) this.#catchUp([channel])
    return stop
  }

  /** As the contract of result backends says. */
  expect(id: string, listener: (record: StoredResult) => void): () => void {
    const stop = this.#listen(id, listener)
    const channel = this.#channels.get(id)
    if (channel !== undefined && channel.end === undefined && !this.#cover(channel)) {
      // Behind the message itself, which is more urgent.
      setImmediate(() => void this.#beginExpected(channel))
    }
    return stop
  }

  async #beginExpected(channel: Channel): Promise<void> {
    const sentMs = performance.now()
    try {
      if (this.#wanted([channel]).length === 0) return
      await this.#begin(channel)
      // The task may have ended meanwhile.
      if (performance.now() - sentMs > CONFIRMED_WITHIN_MS) this.#catchUp(this.#wanted([channel]))
    } catch {
      // What goes wrong shows when it is caught up with.
    }
  }

  #listen(id: string, listener: (record: StoredResult) => void): () => void {
    const remove = this.#listeners.add(id, listener)
    if (!this.#channels.has(id)) this.#open(id)
    return () => {
      remove()
      if (!this.#listeners.has(id)) this.#close(id)
    }
  }

  /**
   * What a read that is yet to come will find for `id`, by id; undefined when none is. Whoever subscribes and then gets needs no read
   * of its own.
   */
  comingRead(id: string): Promise<ReadRecords> | undefined {
    return this.#channels.get(id)?.catching?.read.promise
  }

  close(): void {
    this.#stopHearingOfReconnects()
    this.#listeners.clear()
    for (const id of this.#channels.keys()) this.#close(id)
  }

  #open(id: string): void {
    if (this.#channels.size === 0) this.#options.subscriber.ref()
    this.#channels.set(id, { id, end: undefined, isCovered: false, isCaughtUp: false, catching: undefined, told: undefined, pushes: 0 })
  }

  #close(id: string): void {
    const channel = this.#channels.get(id)
    if (channel === undefined) return
    this.#channels.delete(id)
    // One that could not be begun needs no end, and a connection that is lost has ended it already.
    channel.end?.then((end) => end(), () => {})
    if (this.#channels.size === 0) this.#options.subscriber.unref()
  }

  /** Soon subscribes to those that are not yet, then reads what is stored for all of them. */
  #catchUp(channels: Iterable<Channel>): void {
    const catching = (this.#next ??= this.#plan())
    for (const channel of channels) {
      channel.isCaughtUp = true
      if (channel.catching === catching) continue
      channel.catching = catching
      catching.channels.push(channel)
    }
  }

  #plan(): Catching {
    const catching: Catching = { channels: [], read: Promise.withResolvers() }
    // Nobody may be waiting for it.
    catching.read.promise.catch(() => {})
    process.nextTick(() => {
      this.#next = undefined
      void this.#carryOut(catching)
    })
    return catching
  }

  async #carryOut(catching: Catching): Promise<void> {
    const { channels, read } = catching
    const records: ReadRecords = new Map()
    try {
      const wanted = this.#wanted(channels)
      await Promise.all(wanted.map((channel) => this.#begin(channel)))
      for (let from = 0; from < wanted.length; from += READ_AT_ONCE) await this.#read(wanted.slice(from, from + READ_AT_ONCE), catching, records)
      read.resolve(records)
    } catch (error) {
      this.#leave(channels, catching)
      read.reject(error)
      this.#options.clock.after(RETRY_MS, () => this.#catchUp(this.#wanted(channels)))
    }
  }

  #begin(channel: Channel): Promise<() => void> {
    if (channel.end === undefined) this.#cover(channel)
    return (channel.end ??= this.#subscribe(channel))
  }

  /** Whether a channel need not be subscribed to. */
  #cover(channel: Channel): boolean {
    channel.isCovered = this.#own.covers(channel.id)
    if (channel.isCovered) channel.end = COVERED
    return channel.isCovered
  }

  #uncover(): void {
    const uncovered = [...this.#channels.values()].filter(({ isCovered }) => isCovered)
    for (const channel of uncovered) {
      channel.isCovered = false
      channel.end = undefined
    }
    this.#catchUp(uncovered)
  }

  #hearOwn(id: string, kept: Kept): boolean {
    const channel = this.#channels.get(id)
    if (channel !== undefined) this.#hear(channel, kept)
    return channel !== undefined
  }

  async #subscribe(channel: Channel): Promise<() => void> {
    try {
      return await this.#options.subscriber.subscribe(this.#options.keys.task(channel.id), (kept) => this.#hear(channel, kept))
    } catch (error) {
      channel.end = undefined
      throw error
    }
  }

  async #read(channels: readonly Channel[], catching: Catching, records: ReadRecords): Promise<void> {
    // From here on it is no longer to come: it may miss what is stored before a later get.
    this.#leave(channels, catching)
    const pushes = channels.map((channel) => channel.pushes)
    const found = await this.#options.read(channels.map(({ id }) => id))
    const byId = new Map(found.map((record) => [record.taskId, record]))
    for (const [index, channel] of channels.entries()) {
      const record = byId.get(channel.id)
      records.set(channel.id, record)
      // What was pushed since the read went out is as new, or newer.
      if (record !== undefined && channel.pushes === pushes[index]) this.#tell(channel, record)
    }
  }

  #leave(channels: readonly Channel[], catching: Catching): void {
    for (const channel of channels) if (channel.catching === catching) channel.catching = undefined
  }

  #hear(channel: Channel, kept: Kept): void {
    const record = this.#options.form.readPushed(channel.id, kept, this.#options.clock.now())
    if (record === 'unreadable') return this.#passOver(channel)
    channel.pushes += 1
    if (record !== undefined) this.#tell(channel, record)
  }

  #tell(channel: Channel, record: StoredResult): void {
    // Read and pushed is one record all the same.
    if (channel.told === record.text || this.#channels.get(channel.id) !== channel) return
    channel.told = record.text
    this.#listeners.tell(record)
  }

  #wanted(channels: readonly Channel[]): Channel[] {
    return channels.filter((channel) => this.#channels.get(channel.id) === channel)
  }

  /** Anybody may publish anything. If that is what is stored as well, those who wait are told what is wrong with it. */
  #passOver(channel: Channel): void {
    this.#catchUp(this.#wanted([channel]))
    if (this.#saidUnreadable) return
    this.#saidUnreadable = true
    this.#options.logger.warn({ task: channel.id }, 'What is published for a result is not one, and is passed over. Nothing is said of further ones.')
  }
}

/** What a read found for each id that it asked for. */
export type ReadRecords = Map<string, StoredResult | undefined>

interface Channel {
  readonly id: string
  /** Ends the subscription, once the server has confirmed it. */
  end: Promise<() => void> | undefined
  /** What is published for it is heard without a subscription. */
  isCovered: boolean
  /** Whether what was stored before the server knew of it was read, or will be. */
  isCaughtUp: boolean
  /** What is to be done before nothing can be missed. */
  catching: Catching | undefined
  /** The text that was told last. */
  told: string | undefined
  /** Grows with every record that is pushed. */
  pushes: number
}

interface Catching {
  readonly channels: Channel[]
  readonly read: PromiseWithResolvers<ReadRecords>
}

import type { ResultBackend, StoredResult } from '../../backend.ts'
import { maskUrl } from '../../config/url.ts'
import type { Clock } from '../../internal/clock.ts'
import type { Logger } from '../../internal/logger.ts'
import { Opened } from '../../internal/opened.ts'
import { parseRedisUrl, type RedisAddress } from '../../internal/redis/address.ts'
import { RedisConnection, type RedisConnectionOptions } from '../../internal/redis/connection.ts'
import { RedisScript } from '../../internal/redis/script.ts'
import { RedisSubscriber } from '../../internal/redis/subscriber.ts'
import type { SerializerName } from '../../protocol/serializers/open.ts'
import type { State } from '../../states.ts'
import { ComparingWriter } from './comparing-writer.ts'
import { ResultKeys } from './keys.ts'
import { JSON_FORM, type Kept, type ResultForm } from './result-form.ts'
import { FORGET_EXPIRED } from './scripts.ts'
import { ResultSubscriptions } from './subscriptions.ts'
import { TranscodedForm } from './transcoded-form.ts'
import { ResultWriter } from './writer.ts'

/** Keys that one command reads, or looks at. */
const KEYS_AT_ONCE = 500

/** What a {@link RedisBackend} is opened with. */
export interface RedisBackendOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** How long a call is tried before it rejects. */
  readonly connectionTimeoutMs: number
  readonly redis?: RedisBackendSettings | undefined
}

/** What the configuration says besides the URL. */
export interface RedisBackendSettings {
  /** Default: what the URL says. */
  readonly address?: RedisAddress
  /** In front of every key and channel, as it is. */
  readonly keyPrefix?: string
  /** How results are written and read. Default: as JSON. */
  readonly resultSerializer?: SerializerName
  /** How the connections are made and watched. */
  readonly connection?: Partial<RedisConnectionOptions>
}

const forgetExpired = new RedisScript(FORGET_EXPIRED)

interface Handle {
  readonly connection: RedisConnection
  readonly writer: ResultWriter | ComparingWriter
  readonly subscriber: RedisSubscriber | RedisSubscriber<Buffer>
  readonly subscriptions: ResultSubscriptions
}

/** Results in Redis, where and as Celery's Redis backend keeps them. */
export class RedisBackend implements ResultBackend {
  readonly url: string
  readonly #address: RedisAddress
  readonly #options: RedisBackendOptions
  readonly #keys: ResultKeys
  /** Undefined where results are JSON. */
  readonly #transcoded: TranscodedForm | undefined
  readonly #form: ResultForm
  readonly #opened: Opened<Handle>

  constructor(url: string, options: RedisBackendOptions) {
    this.url = maskUrl(url)
    this.#address = options.redis?.address ?? parseRedisUrl(url)
    this.#options = options
    this.#keys = new ResultKeys(options.redis?.keyPrefix)
    const { resultSerializer = 'json' } = options.redis ?? {}
    this.#transcoded = resultSerializer === 'json' ? undefined : new TranscodedForm(resultSerializer)
    this.#form = this.#transcoded ?? JSON_FORM
    this.#opened = new Opened({ name: `The result backend "${this.url}"`, open: () => this.#open(), close: (handle) => this.#close(handle) })
  }

  connect(): Promise<void> {
    return this.#opened.connect()
  }

  async store(record: StoredResult, { onlyOver }: { onlyOver?: readonly State[] } = {}): Promise<boolean> {
    return this.#opened.get().writer.store(record, onlyOver)
  }

  async get(id: string): Promise<StoredResult | undefined> {
    return (await this.getMany([id]))[0]
  }

  async getMany(ids: readonly string[]): Promise<StoredResult[]> {
    const { connection, subscriptions } = this.#opened.get()
    // Whoever subscribes and then gets needs no second read beside the one that follows a subscription anyway.
    const read = await Promise.all(ids.map(async (id) => subscriptions.comingRead(id)))
    const unread = ids.filter((id, index) => !read[index]?.has(id))
    const records = ids.map((id, index) => read[index]?.get(id)).filter((record) => record !== undefined)
    return [...records, ...(await this.#read(connection, unread))]
  }

  subscribe(id: string, listener: (record: StoredResult) => void): () => void {
    return this.#opened.get().subscriptions.subscribe(id, listener)
  }

  expect(id: string, listener: (record: StoredResult) => void): () => void {
    return this.#opened.get().subscriptions.expect(id, listener)
  }

  async forget(id: string): Promise<void> {
    await this.#delete(this.#keys.task(id))
  }

  async saveGroup(id: string, text: string, expiresAtMs: number | undefined): Promise<void> {
    const { connection } = this.#opened.get()
    const key = this.#keys.group(id)
    const kept = this.#form.keepGroup(text, expiresAtMs, this.#options.clock.now())
    const lifetime = kept.ttlMs === undefined ? [] : ['PX', String(kept.ttlMs)]
    const set = ['SET', key, kept.text, ...lifetime]
    await connection.runRepeatable((client) => client.multi().addCommand(set).addCommand(['PUBLISH', key, kept.text]).exec())
  }

  async getGroup(id: string): Promise<string | undefined> {
    const { connection } = this.#opened.get()
    const kept = await connection.runRepeatable((client) => client.sendCommand(['GET', this.#keys.group(id)], this.#form.replies))
    return kept === null ? undefined : this.#form.readGroup(kept as Kept, this.#options.clock.now())
  }

  async deleteGroup(id: string): Promise<void> {
    await this.#delete(this.#keys.group(id))
  }

  /** Redis forgets by itself what it was given a time for; this is for what expires by another clock. */
  async cleanup(): Promise<number> {
    const { connection } = this.#opened.get()
    const now = this.#options.clock.now()
    let count = 0
    for (let cursor = ''; cursor !== '0'; ) {
      const scan = ['SCAN', cursor || '0', 'MATCH', this.#keys.pattern, 'COUNT', String(KEYS_AT_ONCE)]
      const [next, keys] = (await connection.runRepeatable((client) => client.sendCommand(scan))) as [string, string[]]
      if (keys.length > 0) count += Number(await connection.runRepeatable((client) => forgetExpired.run(client, keys, [now])))
      cursor = next
    }
    return count
  }

  close(): Promise<void> {
    return this.#opened.close()
  }

  async #open(): Promise<Handle> {
    const { clock, logger, connectionTimeoutMs, redis } = this.#options
    const connectionOptions = {
      ...redis?.connection,
      name: `The result backend "${this.url}"`,
      address: this.#address,
      connectionTimeoutMs,
      clock,
      logger,
    }
    const connection = new RedisConnection(connectionOptions)
    await connection.connect().catch(async (error: unknown) => {
      await connection.close()
      throw error
    })
    const form = this.#transcoded
    const subscriber = form === undefined ? new RedisSubscriber(connectionOptions) : new RedisSubscriber<Buffer>(connectionOptions, 'bytes')
    const common = { keys: this.#keys, clock, logger }
    const subscriptions = new ResultSubscriptions({ ...common, subscriber, form: this.#form, read: (ids) => this.#read(connection, ids) })
    const writer = form === undefined ? new ResultWriter({ ...common, connection }) : new ComparingWriter({ ...common, connection, form })
    return { connection, writer, subscriber, subscriptions }
  }

  async #close({ connection, writer, subscriber, subscriptions }: Handle): Promise<void> {
    subscriptions.close()
    writer.flush()
    await Promise.all([subscriber.close(), connection.close()])
  }

  async #read(connection: RedisConnection, ids: readonly string[]): Promise<StoredResult[]> {
    const records: StoredResult[] = []
    for (let from = 0; from < ids.length; from += KEYS_AT_ONCE) {
      const part = ids.slice(from, from + KEYS_AT_ONCE)
      const keys = part.map((id) => this.#keys.task(id))
      const kept = (await connection.runRepeatable((client) => client.sendCommand(['MGET', ...keys], this.#form.replies))) as (Kept | null)[]
      const now = this.#options.clock.now()
      for (const [index, id] of part.entries()) {
        const found = kept[index] ?? undefined
        const record = found === undefined ? undefined : this.#form.readResult(id, found, now)
        if (record !== undefined) records.push(record)
      }
    }
    return records
  }

  async #delete(key: string): Promise<void> {
    await this.#opened.get().connection.runRepeatable((client) => client.sendCommand(['DEL', key]))
  }
}

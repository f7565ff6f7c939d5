import { randomUUID } from 'node:crypto'
import type { Subscription } from '../../broker.ts'
import type { Logger } from '../../internal/logger.ts'
import type { RedisConnection } from '../../internal/redis/connection.ts'
import type { RedisSubscriber } from '../../internal/redis/subscriber.ts'
import { decodeEnvelope, encodeEnvelope } from '../../protocol/envelope.ts'
import type { Keys } from './keys.ts'

/** Broadcasts, as kombu publishes to a fan-out exchange: the channel is the exchange. */
export class Fanout {
  readonly #connection: RedisConnection
  readonly #subscriber: RedisSubscriber
  readonly #keys: Keys
  readonly #logger: Logger

  constructor(parts: { connection: RedisConnection; subscriber: RedisSubscriber; keys: Keys; logger: Logger }) {
    this.#connection = parts.connection
    this.#subscriber = parts.subscriber
    this.#keys = parts.keys
    this.#logger = parts.logger
  }

  async broadcast(channel: string, payload: string): Promise<void> {
    // The whole envelope: one without a delivery tag ends every Python worker that hears it.
    const envelope = encodeEnvelope({
      body: payload,
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      headers: {},
      properties: { delivery_mode: 2, delivery_info: { exchange: channel, routing_key: '' }, priority: 0 },
    })
    await this.#connection.runRepeatable((client) => client.sendCommand(['PUBLISH', this.#keys.channel(channel), envelope]))
  }

  async subscribe(channel: string, listener: (payload: string) => void): Promise<Subscription> {
    let isOpen = false
    const unsubscribe = await this.#subscriber.subscribe(this.#keys.channel(channel), (envelope) => {
      const payload = isOpen ? this.#payloadOf(channel, envelope) : undefined
      if (payload !== undefined) this.#call(() => listener(payload))
    })
    try {
      await this.#passEarlierOnes()
    } catch (error) {
      unsubscribe()
      throw error
    }
    isOpen = true
    return {
      close: async () => {
        isOpen = false
        unsubscribe()
      },
    }
  }

  /** Others may listen to the same channel already, so that a broadcast made before is still on its way: a round trip behind it. */
  async #passEarlierOnes(): Promise<void> {
    const unsubscribe = await this.#subscriber.subscribe(this.#keys.channel(`celeriac.${randomUUID()}`), () => {})
    unsubscribe()
  }

  #payloadOf(channel: string, envelope: string): string | undefined {
    try {
      const { body } = decodeEnvelope(envelope)
      return typeof body === 'string' ? body : Buffer.from(body).toString('utf8')
    } catch (error) {
      this.#logger.warn({ err: error, channel }, 'A broadcast that cannot be read was passed over')
      return undefined
    }
  }

  #call(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      this.#logger.error({ err: error }, 'A listener to broadcasts threw')
    }
  }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Broker } from '../../src/broker.ts'
import { openBroker, type OpenBrokerOptions } from '../../src/brokers/open.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import type { BrokerFixture } from '../conformance/broker-fixture.ts'
import { type RedisAt, sharedRedis, type TestRedisClient } from '../support/redis-server.ts'

/** A database of a test's own, and a client to look into it with. */
export interface RedisFixture extends BrokerFixture {
  readonly url: string
  /** As `open`, with any option of the driver, and through another port if one is given. */
  openWith(options: Partial<OpenBrokerOptions>, port?: number): Promise<Broker>
  /** A connected client of the same database. */
  client(): Promise<TestRedisClient>
}

/** A database of its own on the server that the tests share, or on the one given. */
export async function redisFixture(server: RedisAt = sharedRedis()): Promise<RedisFixture> {
  const root = mkdtempSync(join(tmpdir(), 'celeriac-broker-'))
  const url = await server.freshUrl()
  const opened: Broker[] = []
  const clients: TestRedisClient[] = []
  const openWith = async (options: Partial<OpenBrokerOptions>, port: number = server.port): Promise<Broker> => {
    const defaults = { root, clock: systemClock, logger: silentLogger, connectionTimeoutMs: 4000, maxMessageSize: 2 ** 24, visibilityTimeoutMs: 10_000 }
    const broker = openBroker(url.replace(`:${server.port}/`, `:${port}/`), { ...defaults, ...options })
    opened.push(broker)
    await broker.connect()
    return broker
  }
  return {
    url,
    shared: { url, root },
    openWith,
    open: (options = {}) => openWith(options),
    async client() {
      const client = await server.client(url)
      clients.push(client)
      return client
    },
    async dispose() {
      await Promise.all(opened.map((broker) => broker.close()))
      for (const client of clients) if (client.isOpen) client.destroy()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

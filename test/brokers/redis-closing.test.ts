import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Broker, Subscription } from '../../src/broker.ts'
import { type Collector, collect, publication } from '../conformance/broker-fixture.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { describeRedis, RedisServer } from '../support/redis-server.ts'
import { within } from '../support/within.ts'
import { redisFixture, type RedisFixture } from './redis-fixture.ts'

failOnLeftovers()

/** What closing may take in all when nobody answers, and what the tests add for a busy machine. */
const TIMEOUT_MS = 2000
const SLACK_MS = 700

describeRedis('closing', () => {
  let server: RedisServer
  let fixture: RedisFixture
  let broker: Broker
  let collector: Collector
  let subscription: Subscription

  beforeEach(async () => {
    server = await RedisServer.start()
    fixture = await redisFixture(server)
    broker = await fixture.openWith({ connectionTimeoutMs: TIMEOUT_MS })
    collector = await collect(broker)
    subscription = await broker.subscribe('c', () => {})
  })

  afterEach(async () => {
    server.resume()
    await fixture.dispose()
    await server.dispose()
  })

  /** The steps of a worker that stops. */
  async function closeAll(): Promise<number> {
    const fromMs = performance.now()
    await collector.consumer.pause()
    await subscription.close()
    await collector.consumer.close()
    await broker.close()
    return performance.now() - fromMs
  }

  test('takes as long as one timeout in all when the server is frozen', async () => {
    server.pause()
    // A look is under way: what the consumer asks now is behind it.
    const isAsked = broker.depth('q').catch(() => 'closed')

    expect(await closeAll()).toBeLessThan(TIMEOUT_MS + SLACK_MS)
    expect(await within(isAsked, 'the question to end')).toBe('closed')
  })

  test('takes no time when the server is down', async () => {
    await broker.publish([publication('one')])
    await collector.received(1)
    await server.kill()
    const asking = broker.depth('other').catch(() => {})
    await expect.poll(() => broker.acquireLease('a', 'b', 1).then(() => 'there', () => 'lost'), { timeout: 5000 }).toBe('lost')

    expect(await closeAll()).toBeLessThan(SLACK_MS)
    await asking
  })

  test('a consumer that cannot wait gives back what its last claim brings later', async () => {
    const other = await fixture.open()
    server.pause()
    const published = other.publish([publication('late')])
    await collector.consumer.pause()

    server.resume()
    await published

    await expect.poll(() => other.depth('q'), { timeout: 5000 }).toEqual({ ready: 1, unacked: 0, parked: 0, dead: 0 })
    await collector.consumer.close()
    expect(collector.deliveries).toEqual([])
    expect(await other.consumers()).toEqual([])
    expect(await other.depth('q')).toEqual({ ready: 1, unacked: 0, parked: 0, dead: 0 })
  })

  test('gives back what is out when the server answers after a while', async () => {
    await broker.publish([publication('one')])
    await collector.received(1)
    server.pause()
    const closing = closeAll()
    setTimeout(() => server.resume(), TIMEOUT_MS / 4)

    await closing

    const other = await fixture.open()
    expect(await other.depth('q')).toEqual({ ready: 1, unacked: 0, parked: 0, dead: 0 })
    expect(await other.consumers()).toEqual([])
  })
})

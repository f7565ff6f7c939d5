import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Broker, Delivery } from '../../src/broker.ts'
import { openBroker } from '../../src/brokers/open.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import { collect, idOf, publication, publications } from '../conformance/broker-fixture.ts'
import { CutProxy } from '../support/cut-proxy.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { describeRedis, RedisServer } from '../support/redis-server.ts'
import { within } from '../support/within.ts'
import { redisFixture, type RedisFixture } from './redis-fixture.ts'

failOnLeftovers()

describeRedis('a broker on a Redis that fails', () => {
  let server: RedisServer
  let fixture: RedisFixture
  let broker: Broker

  beforeEach(async () => {
    server = await RedisServer.start({ appendOnly: true, config: { appendfsync: 'always' } })
    fixture = await redisFixture(server)
    broker = await fixture.open()
  })

  afterEach(async () => {
    await fixture.dispose()
    await server.dispose()
  })

  test('consumes again after a restart, with what was out still out, and says it once', async () => {
    const faults: (Error | undefined)[] = []
    await broker.publish(publications(2))
    const collector = await collect(broker, { prefetch: 2, onFault: (fault) => faults.push(fault) })
    const [first, second] = await collector.received(2)

    await server.kill()
    await expect.poll(() => faults.length, { message: 'the loss to be told', timeout: 5000 }).toBe(1)
    await server.restart()
    await expect.poll(() => faults.length, { message: 'the return to be told', timeout: 10_000 }).toBe(2)

    expect(faults).toEqual([expect.any(Error), undefined])
    expect([first?.isHeld, second?.isHeld]).toEqual([true, true])
    await first?.ack()
    await broker.publish([publication('after')])
    expect((await collector.received(3)).map(idOf)).toEqual(['m0', 'm1', 'after'])
    expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 2, parked: 0, dead: 0 })
  })

  test('rejects a publication when the server stays away, in one line', async () => {
    const short = await fixture.openWith({ connectionTimeoutMs: 1500 })
    await server.kill()

    const refused = await within(
      short.publish([publication('one')]).then(
        () => undefined,
        (error: unknown) => error as Error & { code: string },
      ),
      'the publication to be refused',
    )

    expect(refused).toMatchObject({ name: expect.stringContaining('Error') as string, code: 'ERR_CELERIAC_OPERATIONAL' })
    expect(refused?.message).toMatch(/^The broker "redis:.*cannot be reached.*$/)
  })

  test('loses nothing and delivers nothing twice at once while its connections are killed', async () => {
    const client = await fixture.client()
    const seen: string[] = []
    const out = new Set<string>()
    let doubles = 0
    const onDelivery = (delivery: Delivery): void => {
      const id = idOf(delivery)
      // A publication that is sent again may be there twice.
      if (out.has(id) && id.startsWith('m')) doubles += 1
      out.add(id)
      seen.push(id)
      setTimeout(() => {
        out.delete(id)
        void delivery.ack()
      }, 20)
    }
    await broker.publish(publications(2000))
    await collect(broker, { prefetch: 50, onDelivery })

    const sending = Array.from({ length: 1000 }, async (_, index) => {
      await new Promise((resolve) => setTimeout(resolve, index))
      await broker.publish([publication(`late${index}`)])
    })
    for (let round = 0; round < 5; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      await client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    }
    await Promise.all(sending)

    await expect.poll(() => broker.depth('q'), { message: 'an empty queue', timeout: 20_000 }).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
    expect(new Set(seen).size).toBe(3000)
    expect(doubles).toBe(0)
  })

  test('puts back what it claimed without having heard of it', async () => {
    const proxy = await CutProxy.start(server.port)
    const through = await fixture.openWith({}, proxy.port)
    await broker.publish(publications(40))
    const collector = await collect(through, { prefetch: 5 })

    for (let round = 1; round <= 8; round += 1) {
      const deliveries = (await collector.received(round * 5)).slice(-5)
      // The next thing that the server says is how it took the acknowledgements, with what was claimed behind them.
      const cut = proxy.cut()
      await Promise.all(deliveries.map((delivery) => delivery.ack()))
      await cut
    }

    expect(proxy.cuts.within).toBeGreaterThan(0)
    expect(collector.ids().toSorted()).toEqual(publications(40).map(({ message }) => String(message.headers['id'])).toSorted())
    expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
    await through.close()
    await proxy.close()
  })

  test('does not mind that the server forgets its scripts', async () => {
    const client = await fixture.client()
    const collector = await collect(broker)
    for (let round = 0; round < 3; round += 1) {
      await client.scriptFlush()
      await broker.publish([publication(`m${round}`, { priority: 1 })])
      const delivery = (await collector.received(round + 1)).at(-1)
      await client.scriptFlush()
      await delivery?.begun()
      await client.scriptFlush()
      await delivery?.ack()
    }

    expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
  })

  test('goes on after the database was emptied, with what was out held no more', async () => {
    const client = await fixture.client()
    await broker.publish([publication('one')])
    const collector = await collect(broker, { prefetch: 1 })
    const [one] = await collector.received(1)

    await client.flushAll()
    await expect.poll(() => one?.isHeld, { message: 'the loss to be seen', timeout: 10_000 }).toBe(false)
    await one?.ack()
    await broker.publish([publication('two')])
    await collector.received(2)

    expect(collector.ids()).toEqual(['one', 'two'])
    expect(await broker.consumers()).toHaveLength(1)
    expect(await client.sMembers('_kombu.binding.q')).toHaveLength(1)
  })

  test('ends a subscription that it cannot make certain of', async () => {
    const admin = await fixture.client()
    const name = `/${new URL(fixture.url).pathname.slice(1)}.news`
    await admin.sendCommand(['ACL', 'SETUSER', 'few', 'on', '>pw', '~*', '+@all', 'resetchannels', `&${name}`])
    const options = { root: server.folder, clock: systemClock, logger: silentLogger, connectionTimeoutMs: 2000, maxMessageSize: 1000, visibilityTimeoutMs: 10_000 }
    const few = openBroker(fixture.url.replace('redis://', 'redis://few:pw@'), options)
    await few.connect()

    await expect(few.subscribe('news', () => {})).rejects.toThrow('NOPERM')

    await expect.poll(() => admin.pubSubNumSub(name)).toEqual({ [name]: 0 })
    await few.close()
  })

  test('settles again what could not be settled', async () => {
    const short = await fixture.openWith({ connectionTimeoutMs: 1500 })
    await short.publish([publication('one')])
    const [delivery] = await (await collect(short)).received(1)

    await server.kill()
    await expect(delivery?.ack()).rejects.toThrow('The broker')
    expect(delivery?.isHeld).toBe(true)
    await server.restart()
    await expect.poll(() => delivery?.ack().then(() => 'done', () => 'not yet'), { message: 'the acknowledgement', timeout: 10_000 }).toBe('done')

    await expect.poll(() => short.depth('q'), { timeout: 5000 }).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
  })
})

import { expect, test } from 'vitest'
import { collect, publication } from '../conformance/broker-fixture.ts'
import { describeRedis, RedisServer } from '../support/redis-server.ts'
import { redisFixture } from './redis-fixture.ts'

describeRedis('an idle consumer', () => {
  test('asks seldom while a queue of the same name is busy in another database, and still gets what comes', async () => {
    const server = await RedisServer.start()
    const fixture = await redisFixture(server)
    const collector = await collect(await fixture.open())
    const noise = await server.client(server.url(99))
    const client = await fixture.client()
    await client.configResetStat()
    const startedAtMs = Date.now()

    // Noise has to last for a while to be one.
    while (Date.now() - startedAtMs < 1500) await noise.multi().lPush('q', 'x').rPop('q').exec()
    const calls = Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info('commandstats'))?.[1])
    const [busy] = await Promise.all([noise.lPush('q', 'x'), (await fixture.open()).publish([publication('one')])])
    await collector.received(1)

    expect(busy).toBe(1)
    expect(calls).toBeLessThan(150)
    await fixture.dispose()
    await server.dispose()
  })
})

import { afterAll, beforeAll } from 'vitest'
import { testBrokerProcesses } from '../conformance/broker-processes.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { describeRedis, RedisServer } from '../support/redis-server.ts'
import { redisFixture } from './redis-fixture.ts'

failOnLeftovers()

describeRedis('with a server', () => {
  // Not the shared one: a server tells of changed keys without their database, so other tests would keep an idle process busy.
  let server: RedisServer

  beforeAll(async () => {
    server = await RedisServer.start()
  })

  afterAll(() => server.dispose())

  testBrokerProcesses('redis', () => redisFixture(server))
})

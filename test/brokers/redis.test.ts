import { testBroker } from '../conformance/broker.ts'
import { describeRedis } from '../support/redis-server.ts'
import { redisFixture } from './redis-fixture.ts'

describeRedis('with a server', () => {
  testBroker('redis', () => redisFixture())
})

import type { Broker } from '../../src/broker.ts'
import { openBroker } from '../../src/brokers/open.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import { testBroker } from '../conformance/broker.ts'

let count = 0

testBroker('memory', async () => {
  const url = `memory://test-${(count += 1)}`
  const opened: Broker[] = []
  return {
    shared: undefined,
    async open({ clock = systemClock, maxMessageSize = 2 ** 24, visibilityTimeoutMs = 10_000 } = {}) {
      const broker = openBroker(url, { root: '/', clock, logger: silentLogger, connectionTimeoutMs: 4000, maxMessageSize, visibilityTimeoutMs })
      opened.push(broker)
      await broker.connect()
      return broker
    },
    async dispose() {
      await Promise.all(opened.map((broker) => broker.close()))
    },
  }
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Broker } from '../../src/broker.ts'
import { openBroker } from '../../src/brokers/open.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import type { BrokerFixture } from '../conformance/broker-fixture.ts'

/** A database file of its own in a temporary folder. */
export async function sqliteFixture(): Promise<BrokerFixture & { readonly root: string; readonly path: string }> {
  const root = mkdtempSync(join(tmpdir(), 'celeriac-broker-'))
  const opened: Broker[] = []
  return {
    root,
    path: join(root, '.celeriac', 'celeriac.db'),
    shared: { url: 'sqlite:', root },
    async open({ clock = systemClock, maxMessageSize = 2 ** 24, visibilityTimeoutMs = 10_000 } = {}) {
      const broker = openBroker('sqlite:', { root, clock, logger: silentLogger, connectionTimeoutMs: 4000, maxMessageSize, visibilityTimeoutMs })
      opened.push(broker)
      await broker.connect()
      return broker
    },
    async dispose() {
      await Promise.all(opened.map((broker) => broker.close()))
      rmSync(root, { recursive: true, force: true })
    },
  }
}

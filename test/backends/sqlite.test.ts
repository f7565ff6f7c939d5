import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ResultBackend } from '../../src/backend.ts'
import { openBackend } from '../../src/backends/open.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import { testBackend, testBackendProcesses, type BackendFixture } from '../conformance/backend.ts'
import { failOnLeftovers } from '../support/leaks.ts'

failOnLeftovers()

testBackend('sqlite', setUp)
testBackendProcesses('sqlite', setUp)

async function setUp(): Promise<BackendFixture> {
  const root = mkdtempSync(join(tmpdir(), 'celeriac-backend-'))
  const opened: ResultBackend[] = []
  return {
    shared: { url: 'sqlite:', root },
    async open({ clock = systemClock } = {}) {
      const backend = openBackend('sqlite:', { root, clock, logger: silentLogger, connectionTimeoutMs: 4000 })
      opened.push(backend)
      await backend.connect()
      return backend
    },
    async dispose() {
      await Promise.all(opened.map((backend) => backend.close()))
      rmSync(root, { recursive: true, force: true })
    },
  }
}

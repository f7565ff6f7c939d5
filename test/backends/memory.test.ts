import type { ResultBackend } from '../../src/backend.ts'
import { openBackend } from '../../src/backends/open.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import { testBackend } from '../conformance/backend.ts'

let count = 0

testBackend('memory', async () => {
  const url = `memory://test-${(count += 1)}`
  const opened: ResultBackend[] = []
  return {
    shared: undefined,
    async open({ clock = systemClock } = {}) {
      const backend = openBackend(url, { root: '/', clock, logger: silentLogger, connectionTimeoutMs: 4000 })
      opened.push(backend)
      await backend.connect()
      return backend
    },
    async dispose() {
      await Promise.all(opened.map((backend) => backend.close()))
    },
  }
})

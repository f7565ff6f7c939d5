import type { ResultBackend } from '../../src/backend.ts'
import { RedisBackend, type RedisBackendOptions } from '../../src/backends/redis/backend.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import type { State } from '../../src/states.ts'
import type { BackendFixture } from '../conformance/backend.ts'
import type { RedisServer } from '../support/redis-server.ts'

/** An empty database of `server`, and the backends that a test opens there. */
export interface RedisBackendFixture extends BackendFixture {
  readonly url: string
  open(options?: Partial<RedisBackendOptions>): Promise<ResultBackend>
}

/** Channels have no databases: two tests that use the same ids at the same time need servers of their own. */
export async function redisFixture(server: RedisServer, redis?: RedisBackendOptions['redis']): Promise<RedisBackendFixture> {
  const url = await server.freshUrl()
  const opened: ResultBackend[] = []
  return {
    url,
    shared: { url, root: server.folder },
    async open(options) {
      const backend = new RedisBackend(url, { clock: systemClock, logger: silentLogger, connectionTimeoutMs: 4000, redis, ...options })
      opened.push(backend)
      await backend.connect()
      return backend
    },
    async dispose() {
      await Promise.all(opened.map((backend) => backend.close()))
    },
  }
}

/** A meta as a worker writes it; `extra` makes it another one. */
export function meta(taskId: string, status: State, extra: string = '1'): string {
  return `{"status": "${status}", "result": ${extra}, "traceback": null, "children": [], "date_done": null, "task_id": "${taskId}"}`
}

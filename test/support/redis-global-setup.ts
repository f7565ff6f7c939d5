import type { TestProject } from 'vitest/node'
import { REDIS_MISSING, RedisServer } from './redis-server.ts'

/** Starts the Redis that all test files of a project share; resolves to what ends it. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const server = REDIS_MISSING === undefined ? await RedisServer.start({ config: { 'rename-command': 'FLUSHALL ' } }) : undefined
  provide('redisPort', server?.port)
  return async () => server?.dispose()
}

declare module 'vitest' {
  interface ProvidedContext {
    redisPort: number | undefined
  }
}

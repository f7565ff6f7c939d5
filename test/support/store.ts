import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { sharedRedis } from './redis-server.ts'

/** Whether the tests of applications run on Redis; else each has a SQLite file of its own. */
export const onRedis: boolean = process.env['CELERIAC_TEST_STORE'] === 'redis'

const urls = new Map<string, string>()

/** Where an application that keeps its files in `folder` has its messages and results: a store that nobody else uses. */
export function storeUrl(folder: string): string {
  if (!onRedis) return `sqlite://${folder}/queue.db`
  const url = urls.get(folder) ?? sharedRedis().url(nextDatabase())
  urls.set(folder, url)
  return url
}

/** Whether anything was ever written to the store of {@link storeUrl}. */
export function storeIsUsed(folder: string): boolean {
  if (!onRedis) return existsSync(join(folder, 'queue.db'))
  return execFileSync('redis-cli', ['-u', storeUrl(folder), 'DBSIZE'], { encoding: 'utf8' }).trim() !== '0'
}

/** What {@link RedisAt.freshUrl} does, for those who cannot wait. */
function nextDatabase(): number {
  return Number(execFileSync('redis-cli', ['-p', String(sharedRedis().port), 'INCR', 'test.databases'], { encoding: 'utf8' }))
}

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const WARM = fileURLToPath(new URL('compile-cache-warm.ts', import.meta.url))
const START_TIMEOUT_MS = 60_000

/**
 * Lets every process that the tests start take its compiled modules from a cache, and fills it with what most of them load. Stripping
 * and compiling these costs each process more than all else that it does to start. Called for each project; the first is enough.
 */
export function setup(): (() => void) | undefined {
  if (process.env['NODE_COMPILE_CACHE'] !== undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'compile-cache-'))
  process.env['NODE_COMPILE_CACHE'] = join(folder, 'cache')
  const env = { ...process.env, NODE_ENV: 'test', CELERY_BROKER_URL: `sqlite://${join(folder, 'celeriac.db')}`, CELERY_LOG_DIR: folder, CELERY_WORKER_CONCURRENCY: '1' }
  const { status, stderr } = spawnSync(process.execPath, [WARM], { env, encoding: 'utf8', timeout: START_TIMEOUT_MS, stdio: ['ignore', 'ignore', 'pipe'] })
  if (status !== 0) throw new Error(`The compile cache could not be filled: ${stderr}`)
  return () => rmSync(folder, { recursive: true, force: true })
}

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

/** The servers and peers that are no packages; undefined where one was not run. */
export interface Peers {
  readonly redis: string | undefined
  readonly celery: string | undefined
}

/** What the figures were measured on, one fact a line. */
export function describeMachine({ redis, celery }: Peers): string[] {
  const processors = cpus()
  const resolve = createRequire(import.meta.url).resolve
  return [
    `date: ${new Date().toISOString().slice(0, 10)}`,
    `machine: ${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores, ${Math.round(totalmem() / 2 ** 30)} GB`,
    `node ${process.versions.node}, sqlite ${process.versions['sqlite'] ?? 'unknown'}, redis ${redis ?? 'not run'}`,
    `celeriac ${versionIn(fileURLToPath(new URL('../package.json', import.meta.url)))} on node-redis ${versionIn(resolve('redis/package.json'))}`,
    `celery ${celery ?? 'not run'}`,
    `bullmq ${versionIn(resolve('bullmq/package.json'))} on ioredis ${versionIn(ioredisManifest(resolve))}`,
  ]
}

/** BullMQ's own default client, an optional peer of it. */
function ioredisManifest(resolve: NodeJS.RequireResolve): string | undefined {
  try {
    return resolve('ioredis/package.json')
  } catch {
    return undefined
  }
}

function versionIn(manifest: string | undefined): string {
  return manifest === undefined ? 'missing' : (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}

/** Runs once through every module that an application needs, and saves them all in the compile cache. */
import { flushCompileCache } from 'node:module'
import { Celery } from '../../src/index.ts'

/** Where it runs: the others save theirs when they end by themselves, but a pool child never does. */
export function saveCompileCache(): void {
  flushCompileCache()
}

if (import.meta.main) {
  const celery = new Celery()
  await celery.submit(saveCompileCache).result()
  await celery.close()
}

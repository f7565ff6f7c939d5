import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { CeleryOptions } from '../../src/index.ts'
import { type TestApplication, testApplication } from '../support/application.ts'
import { RedisServer, type RedisServerOptions } from '../support/redis-server.ts'
import { PythonClient, type PythonOptions, PythonWorker, type PythonWorkerOptions } from './python-app.ts'

/** Module of the tasks that our workers know. */
export const OUR_TASKS = './test/interop/tasks.ts'

/** A Redis of its own with both languages on it. */
export interface BothSides {
  readonly redis: RedisServer
  readonly url: string
  readonly ours: TestApplication
  readonly python: PythonClient
  startPythonWorker(options?: Omit<PythonWorkerOptions, 'url'>): Promise<PythonWorker>
  /** A path for what tasks leave behind. */
  file(name: string): string
  /** Stops all of it. */
  close(): Promise<void>
}

/** What both sides are made with. */
export interface BothSidesOptions {
  readonly conf?: CeleryOptions
  readonly settings?: PythonOptions['settings']
  readonly server?: RedisServerOptions
  /** URLs for broker and results, in place of database 0 for both. */
  readonly urls?: (server: RedisServer) => { readonly broker: string; readonly results: string }
}

/** Starts Redis, makes an application of ours on it and starts a Python client; workers are started by the test. */
export async function bothSides({ conf, server, settings, urls }: BothSidesOptions = {}): Promise<BothSides> {
  const redis = await RedisServer.start(server)
  const { broker, results } = urls?.(redis) ?? { broker: redis.url(0), results: redis.url(0) }
  const ours = testApplication({ brokerUrl: broker, resultBackend: results, include: [OUR_TASKS], ...conf })
  // For the application that the tasks' own module makes in the processes of a worker.
  Object.assign(process.env, { CELERY_BROKER_URL: broker, CELERY_SECRET_KEY_FILE: ours.keyFile })
  const common = { url: broker, resultBackend: results, ...(settings && { settings }) }
  const python = await PythonClient.start(common)
  const workers: PythonWorker[] = []
  return {
    redis,
    url: broker,
    ours,
    python,
    startPythonWorker: async (workerOptions) => {
      const worker = await PythonWorker.start({ ...common, ...workerOptions })
      workers.push(worker)
      return worker
    },
    file: (name) => join(ours.folder, name),
    close: async () => {
      await Promise.allSettled([python.stop(), ours.close(), ...workers.map((worker) => worker.stop())])
      await redis.dispose()
      delete process.env['CELERY_BROKER_URL']
      delete process.env['CELERY_SECRET_KEY_FILE']
    },
  }
}

/** The lines of a file, none while it is not there. */
export function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
}

/** Makes a file that a task waits for. */
export function touch(file: string): void {
  appendFileSync(file, '')
}

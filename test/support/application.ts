import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Broker } from '../../src/broker.ts'
import { loadConfig } from '../../src/config/config.ts'
import { Celery, type CeleryOptions } from '../../src/index.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { Worker, type WorkerOptions } from '../../src/worker/worker.ts'
import { RecordedLog } from './recorded-log.ts'
import { storeUrl } from './store.ts'

/** The repository: what functions of the tests are found relative to. */
export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url))

/** A worker in this process, with what it logged. */
export interface TestWorker {
  readonly worker: Worker
  readonly name: string
  readonly log: RecordedLog
}

/** An application that starts no workers by itself, on a database of its own, with workers made by the test. */
export interface TestApplication {
  readonly celery: Celery
  /** For what the tasks of the test leave behind. */
  readonly folder: string
  /** The key that its messages are signed with. */
  readonly keyFile: string
  broker(): Promise<Broker>
  /** A worker that consumes; `prefork` with one process unless told otherwise. */
  startWorker(options?: TestWorkerOptions): Promise<TestWorker>
  /** Stops the workers, closes the application and removes its folder. */
  close(): Promise<void>
}

export interface TestWorkerOptions extends Partial<Omit<WorkerOptions, 'conf'>> {
  /** What its configuration has that the application's has not. */
  readonly conf?: CeleryOptions
}

/** Makes a {@link TestApplication}. */
export function testApplication(options: CeleryOptions = {}): TestApplication {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-'))
  const keyFile = join(folder, 'secret.key')
  writeFileSync(keyFile, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
  const celery = new Celery({ root: ROOT, brokerUrl: storeUrl(folder), logDir: folder, secretKeyFile: keyFile, startLocalWorkers: false, ...options })
  const workers: Worker[] = []
  return {
    celery,
    folder,
    keyFile,
    broker: async () => (await celery.open()).broker,
    startWorker: async ({ conf: own, ...workerOptions } = {}) => {
      const conf = loadConfig({ inherited: celery.conf.forChildren() })
      if (own !== undefined) conf.update(own)
      const name = workerOptions.name ?? `worker${workers.length + 1}@test`
      const log = new RecordedLog()
      const worker = new Worker({
        queues: ['celery'],
        concurrency: 1,
        pool: 'prefork',
        root: ROOT,
        app: undefined,
        clock: systemClock,
        ...workerOptions,
        name,
        conf,
        logger: log,
      })
      workers.push(worker)
      await worker.start()
      return { worker, name, log }
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.stop({ graceMs: 0 })))
      await celery.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

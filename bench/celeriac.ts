import { existsSync, globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import type * as Celeriac from '../src/index.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const ENTRY = join(ROOT, 'dist/index.js')

/** How long a worker may take to start, in seconds: a slow start is to be measured rather than refused. */
const START_TIMEOUT = 30

/** What users get is what is measured: the built package, not its sources. */
export async function loadCeleriac(): Promise<typeof Celeriac> {
  return (await import(ENTRY)) as typeof Celeriac
}

/** Why the built package cannot be measured; undefined when it can. */
export function buildProblem(): string | undefined {
  if (!existsSync(ENTRY)) return 'dist/ was expected to hold the built package, but it is not there; run "npm run build".'
  const builtMs = statSync(ENTRY).mtimeMs
  const newer = globSync('src/**/*.ts', { cwd: ROOT }).find((path) => statSync(join(ROOT, path)).mtimeMs > builtMs)
  return newer && `dist/ is older than ${newer}; run "npm run build".`
}

/** How a side's application is set up. */
export interface Setup {
  /** Holds the embedded store, empty at first, and the logs. */
  readonly folder: string
  /** How many tasks each worker runs at once, in an `async` pool. */
  readonly concurrency: number
  /** 1 unless given. */
  readonly workers?: number
  /** Whether the first submit starts the workers; otherwise only `start()` does. */
  readonly autoStart?: boolean
}

/** An application on the embedded default. */
export async function openCelery({ folder, concurrency, workers = 1, autoStart = false }: Setup): Promise<Celeriac.Celery> {
  const { Celery } = await loadCeleriac()
  const names = Array.from({ length: workers }, (_, index) => `bench${index + 1}`)
  return new Celery({
    root: ROOT,
    brokerUrl: `sqlite://${databasePath(folder)}`,
    logDir: folder,
    logLevel: 'error',
    startLocalWorkers: autoStart,
    startTimeout: START_TIMEOUT,
    workers: Object.fromEntries(names.map((name) => [name, { concurrency, pool: 'async' as const }])),
  })
}

/** A view of the embedded store from outside the library, so that watching it costs the library nothing. */
export class StoreWatch {
  readonly #database: DatabaseSync
  readonly #outstanding: ReturnType<DatabaseSync['prepare']>

  constructor(folder: string) {
    this.#database = new DatabaseSync(databasePath(folder), { readOnly: true })
    this.#outstanding = this.#database.prepare(
      'SELECT (SELECT max(id) FROM message) - (SELECT min(id) FROM message) + 1 AS count',
    )
  }

  /**
   * From the oldest message that is not acknowledged to the newest: 0 exactly when nothing waits and nothing
   * is out, and within the prefetch of the true count otherwise. Two look-ups, however deep the queue.
   */
  outstanding(): number {
    return Number(this.#outstanding.get()?.['count'] ?? 0)
  }

  close(): void {
    this.#database.close()
  }
}

function databasePath(folder: string): string {
  return join(folder, 'celeriac.db')
}

import { existsSync, globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type * as Celeriac from '../src/index.ts'
import type { SideInput } from './side.ts'
import { databasePath } from './store-watch.ts'

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
export interface Setup extends SideInput {
  /** 1 unless given. */
  readonly workers?: number
  /** Whether the first submit starts the workers; otherwise only `start()` does. */
  readonly autoStart?: boolean
}

/** An application on the private Redis, or on the embedded default where there is none. */
export async function openCelery({ folder, redisPort, concurrency, pool, workers = 1, autoStart = false }: Setup): Promise<Celeriac.Celery> {
  const { Celery } = await loadCeleriac()
  const names = Array.from({ length: workers }, (_, index) => `bench${index + 1}`)
  return new Celery({
    root: ROOT,
    brokerUrl: redisPort === 0 ? `sqlite://${databasePath(folder)}` : `redis://127.0.0.1:${redisPort}/0`,
    logDir: folder,
    logLevel: 'error',
    startLocalWorkers: autoStart,
    startTimeout: START_TIMEOUT,
    workers: Object.fromEntries(names.map((name) => [name, { concurrency, pool }])),
  })
}

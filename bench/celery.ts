import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Debian's Python, which has Debian's Celery. */
const PYTHON = '/usr/bin/python3'

const FOLDER = fileURLToPath(new URL('python/', import.meta.url))

/** The version of the Celery that is measured; undefined when there is none. */
export function celeryVersion(): string | undefined {
  try {
    const program = 'import celery, redis, platform; print(f"{celery.__version__} on Python {platform.python_version()}")'
    return execFileSync(PYTHON, ['-c', program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}

/** Runs a program of `python/` and resolves to what it printed. */
export async function runPython(program: string, redisPort: number, count: number): Promise<string> {
  const { stdout } = await promisify(execFile)(PYTHON, [program, `${count}`], { ...settings(redisPort), maxBuffer: 2 ** 24 })
  return stdout
}

/** Starts a worker with Celery's default pool, `prefork`. It may take some seconds to consume. */
export function startCeleryWorker(redisPort: number, concurrency: number): ChildProcess {
  const args = ['-m', 'celery', '-A', 'bench_app', 'worker', '--pool=prefork', `--concurrency=${concurrency}`, '--loglevel=ERROR']
  return spawn(PYTHON, args, { ...settings(redisPort), stdio: 'ignore' })
}

/** Ends the worker and waits for it. */
export async function stopCeleryWorker(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) throw new Error(`Celery's worker ended with code ${worker.exitCode}.`)
  const ended = once(worker, 'exit')
  worker.kill('SIGTERM')
  await ended
}

function settings(redisPort: number): { cwd: string; env: NodeJS.ProcessEnv } {
  const env = { ...process.env, BENCH_REDIS_URL: `redis://127.0.0.1:${redisPort}/0`, PYTHONDONTWRITEBYTECODE: '1', C_FORCE_ROOT: '1' }
  return { cwd: FOLDER, env }
}

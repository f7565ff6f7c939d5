import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe } from 'vitest'

import { parseJson, stringifyJson } from '../../src/protocol/json.ts'
import { REDIS_MISSING } from '../support/redis-server.ts'
import { within } from '../support/within.ts'

/** Debian's, which has Celery 5.2, unless another is named. */
export const PYTHON: string = process.env['CELERIAC_TEST_PYTHON'] ?? '/usr/bin/python3'
const FOLDER = `${import.meta.dirname}/python`

/** Where the Python side works, and with which of Celery's settings. */
export interface PythonOptions {
  readonly url: string
  /** Where results are; default: at the same place. */
  readonly resultBackend?: string | undefined
  readonly settings?: Readonly<Record<string, unknown>>
}

/** What to start a Python worker with. */
export interface PythonWorkerOptions extends PythonOptions {
  readonly name?: string
  readonly queues?: readonly string[]
  readonly pool?: 'prefork' | 'solo'
  readonly concurrency?: number
  /** Module with the application and its tasks. */
  readonly module?: string
  /** Where the module is. */
  readonly folder?: string
}

/** Version of Python's Celery, `[5, 2]`; nothing when it is not installed. */
const VERSION: readonly number[] | undefined = findVersion()

/** Whether Python's Celery has what came with 5.3: types in JSON, and `ignore_result` of a call that counts. */
export const IS_RECENT: boolean = (VERSION?.[1] ?? 0) >= 3

/** `describe` for what needs both languages on a Redis; skipped with the reason where something is not installed. */
export function describeInterop(title: string, suite: () => void): void {
  const missing = REDIS_MISSING ?? (VERSION === undefined ? `${PYTHON} has no Celery with redis, msgpack and yaml` : undefined)
  // oxlint-disable-next-line vitest/valid-title, vitest/valid-describe-callback -- both are the caller's
  describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, suite)
}

/** Celery's own worker, as its users start it. */
export class PythonWorker {
  readonly name: string
  readonly #process: ChildProcessWithoutNullStreams
  readonly #waiters = new Set<() => void>()
  #log = ''

  private constructor(process: ChildProcessWithoutNullStreams, name: string) {
    this.#process = process
    this.name = name
    for (const stream of [process.stdout, process.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text
        for (const wake of this.#waiters) wake()
      })
    }
    process.on('close', () => {
      for (const wake of this.#waiters) wake()
    })
  }

  /** Resolves when it consumes. */
  static async start(options: PythonWorkerOptions): Promise<PythonWorker> {
    const { concurrency = 1, folder = FOLDER, module = 'tasks', name = 'python@test', pool = 'prefork', queues = ['celery'] } = options
    const args = ['-m', 'celery', '-A', module, 'worker', '-n', name, '-Q', queues.join(), '-P', pool, '-c', String(concurrency), '-l', 'INFO']
    const worker = new PythonWorker(spawn(PYTHON, args, { cwd: folder, env: pythonEnvironment(options) }), name)
    try {
      await worker.says(/ ready\.\n/, 20_000)
      return worker
    } catch (error) {
      worker.kill()
      throw error
    }
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  /** All that it has written. */
  get log(): string {
    return this.#log
  }

  /** Resolves when its log has a match. */
  async says(pattern: RegExp, timeoutMs = 10_000): Promise<void> {
    const found = Promise.withResolvers<void>()
    const look = (): void => {
      if (pattern.test(this.#log)) found.resolve()
      else if (this.hasEnded) found.reject(new Error(`The Python worker ended before it said ${pattern}:\n${this.#log}`))
    }
    this.#waiters.add(look)
    try {
      look()
      await within(found.promise, `${pattern} in the log of the Python worker`, timeoutMs)
    } catch (error) {
      throw new Error(`${(error as Error).message} Its log:\n${this.#log}`, { cause: error })
    } finally {
      this.#waiters.delete(look)
    }
  }

  /** Ends it at once, with the processes that it started: nothing is given back. */
  kill(): void {
    for (const pid of [this.pid, ...childrenOf(this.pid)]) signalIfThere(pid, 'SIGKILL')
  }

  /** Lets it end as Celery does, and by force if that takes too long. */
  async stop(): Promise<void> {
    await end(this.#process, () => this.kill())
  }
}

/** A Python process that imports the tasks and runs what a test asks of it. */
export class PythonClient {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #answers: AsyncIterator<string>
  #last: Promise<unknown> = Promise.resolve()
  #log = ''

  private constructor(process: ChildProcessWithoutNullStreams) {
    this.#process = process
    this.#answers = createInterface(process.stdout)[Symbol.asyncIterator]()
    process.stderr.setEncoding('utf8').on('data', (text: string) => (this.#log += text))
    process.stdin.on('error', () => {})
  }

  static async start(options: PythonOptions): Promise<PythonClient> {
    const client = new PythonClient(spawn(PYTHON, [`${FOLDER}/client.py`], { cwd: FOLDER, env: pythonEnvironment(options) }))
    await client.run('None')
    return client
  }

  /**
   * Runs Python statements and gives the value of the last, if it is an expression; what has no form in JSON as its `repr`.
   *
   * `given` are variables. They and what the code assigns stay for the next call. One runs at a time.
   * @throws {@link PythonError} when the code raises.
   */
  run<T = unknown>(code: string, given: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const answer = this.#last.then(() => this.#ask<T>(code, given))
    this.#last = answer.catch(() => {})
    return answer
  }

  async stop(): Promise<void> {
    this.#process.stdin.end()
    await end(this.#process, () => this.#process.kill('SIGKILL'))
  }

  async #ask<T>(code: string, given: Readonly<Record<string, unknown>>): Promise<T> {
    this.#process.stdin.write(`${stringifyJson({ code: dedent(code), given }, 'given')}\n`)
    const { done, value: line } = await within(this.#answers.next(), `Python to run ${code}`, 25_000)
    if (done === true) throw new Error(`Python ended instead of running ${code}\n${this.#log}`)
    const answer = parseJson(line) as { value: T } | { error: PythonErrorFields }
    if ('error' in answer) throw new PythonError(answer.error)
    return answer.value
  }
}

interface PythonErrorFields {
  readonly type: string
  readonly module: string
  readonly args: readonly unknown[]
  readonly text: string
  readonly bases: readonly string[]
  readonly traceback: string
}

/** What Python code raised. */
export class PythonError extends Error {
  readonly type: string
  readonly module: string
  readonly args: readonly unknown[]
  /** Names of its class and those that it inherits from. */
  readonly bases: readonly string[]

  constructor({ args, bases, module, text, traceback, type }: PythonErrorFields) {
    super(`${type}: ${text}`)
    this.name = 'PythonError'
    this.type = type
    this.module = module
    this.args = args
    this.bases = bases
    this.stack = traceback
  }
}

/** The environment of a Python process of Celery. */
export function pythonEnvironment({ settings = {}, url, resultBackend = url }: PythonOptions): NodeJS.ProcessEnv {
  const { VIRTUAL_ENV: _, ...env } = process.env
  return { ...env, BROKER_URL: url, RESULT_BACKEND: resultBackend, CELERY_SETTINGS: JSON.stringify(settings), PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1', C_FORCE_ROOT: '1' }
}

/** Code in a test is indented as the test is. */
function dedent(code: string): string {
  const lines = code.split('\n')
  const depth = Math.min(...lines.filter((line) => line.trim() !== '').slice(code.startsWith('\n') ? 0 : 1).map((line) => line.length - line.trimStart().length))
  return lines.map((line, index) => (index === 0 && !code.startsWith('\n') ? line : line.slice(depth))).join('\n').trim()
}

async function end(child: ChildProcessWithoutNullStreams, kill: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'close')
  child.kill('SIGTERM')
  const timer = setTimeout(kill, 5_000)
  await ended
  clearTimeout(timer)
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  return stdout.split('\n').map(Number).filter((child) => child > 0)
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    if (pid > 0) process.kill(pid, signal)
  } catch {
    // It ended by itself.
  }
}

function findVersion(): readonly number[] | undefined {
  const { status, stdout } = spawnSync(PYTHON, ['-c', 'import celery, redis, msgpack, yaml; print(celery.__version__)'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim().split('.').map(Number) : undefined
}

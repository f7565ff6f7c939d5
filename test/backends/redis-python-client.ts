import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { within } from '../support/within.ts'

const PYTHON = '/usr/bin/python3'

interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** A real Python Celery client of a result backend, in a process of its own. */
export class PythonClient {
  readonly #child: ChildProcess
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>()
  #last = 0
  #complaints = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => this.#answer(JSON.parse(line) as Reply))
    child.stderr?.on('data', (text: Buffer) => (this.#complaints += String(text)))
  }

  /** `settings` are Celery's. */
  static start(backendUrl: string, settings: object = {}): PythonClient {
    const script = join(import.meta.dirname, 'redis-python-client.py')
    return new PythonClient(spawn(PYTHON, [script, backendUrl, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'pipe'] }))
  }

  call(name: string, ...args: unknown[]): Promise<unknown> {
    const id = (this.#last += 1)
    const answer = Promise.withResolvers<unknown>()
    this.#calls.set(id, answer)
    this.#child.stdin?.write(`${JSON.stringify({ id, do: name, args })}\n`)
    return within(answer.promise, `Python to ${name}`, 20_000).catch((error: unknown) => {
      throw new Error(`${String(error)} ${this.#complaints}`)
    })
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await within(exit, 'Python to end')
  }

  #answer({ id, value, error }: Reply): void {
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    if (error === undefined) call?.resolve(value)
    else call?.reject(new Error(error))
  }
}

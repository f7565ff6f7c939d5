import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { within } from '../support/within.ts'
import type { CallOrder, CallReport } from './fixtures/caller.ts'

const CALLER = fileURLToPath(new URL('fixtures/caller.ts', import.meta.url))

/** A web process that makes calls on order, and ends of anything that it does not handle. */
export class Caller {
  readonly #child: ChildProcess
  readonly #ended: Promise<number | null>
  readonly #waiting = new Map<number, (report: CallReport) => void>()
  #output = ''
  #last = 0

  private constructor(env: NodeJS.ProcessEnv) {
    this.#child = fork(CALLER, { env, execArgv: ['--unhandled-rejections=strict'], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()))
    this.#ended = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)))
    this.#child.on('message', (report: CallReport) => {
      this.#waiting.get(report.id)?.(report)
      this.#waiting.delete(report.id)
    })
  }

  static async start(env: NodeJS.ProcessEnv): Promise<Caller> {
    const caller = new Caller(env)
    await within(caller.#report(0), 'the caller to start', 20_000)
    return caller
  }

  /** Makes a call; resolves to what became of it. */
  async call(call: CallOrder['call'], about?: string): Promise<CallReport> {
    const id = ++this.#last
    const report = this.#report(id)
    this.#child.send({ id, call, ...(about !== undefined && { about }) } satisfies CallOrder)
    return within(report, `the end of a call of ${call}; it said:\n${this.#output}`, 60_000)
  }

  /** Lets it end by itself; resolves to its code and to what it wrote. */
  async leave(): Promise<{ code: number | null; output: string }> {
    this.#child.disconnect()
    const code = await within(this.#ended, 'the end of the caller', 10_000)
    return { code, output: this.#output }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  #report(id: number): Promise<CallReport> {
    const died = this.#ended.then((code) => {
      throw new Error(`The caller ended with ${code}:\n${this.#output}`)
    })
    died.catch(() => {})
    return Promise.race([new Promise<CallReport>((resolve) => this.#waiting.set(id, resolve)), died])
  }
}

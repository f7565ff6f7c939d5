import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { StoredResult } from '../../src/backend.ts'
import { within } from './within.ts'

/** What another process can be asked to do with the store. */
export type StoreCall =
  | { do: 'publish'; count: number; prefix: string }
  | { do: 'consume'; prefetch: number; settle: 'ack' | 'begin' | 'hold'; withChild?: boolean }
  | { do: 'ack'; id: string }
  | { do: 'held'; id: string }
  | { do: 'subscribe'; channel: string }
  | { do: 'broadcast'; channel: string; payload: string }
  | { do: 'lease'; name: string; owner: string }
  | { do: 'store'; records: StoredResult[] }
  | { do: 'race'; ids: string[] }
  | { do: 'wait'; id: string }
  | { do: 'cpu' }
  | { do: 'close' }

/** What it says by itself. */
export type StoreReport =
  | { kind: 'ready' }
  | { kind: 'delivered'; ids: string[]; losses: number[]; atMs: number }
  | { kind: 'heard'; payload: string }
  | { kind: 'told'; id: string; text: string; atMs: number }

interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** A real process that opens the same store. */
export class StoreProcess {
  readonly reports: StoreReport[] = []
  readonly #child: ChildProcess
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #waiting = new Set<() => void>()
  #lastCall = 0

  constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (message: StoreReport | Reply) => {
      if ('kind' in message) this.reports.push(message)
      else this.#answer(message)
      for (const check of this.#waiting) check()
    })
  }

  /** Starts one and waits until it has the store open. */
  static async start({ url, root }: { url: string; root: string }, visibilityTimeoutMs: number = 10_000): Promise<StoreProcess> {
    const main = join(import.meta.dirname, 'store-process-main.ts')
    const started = new StoreProcess(fork(main, [url, root, String(visibilityTimeoutMs)], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
    await started.until(({ reports }) => reports.some(({ kind }) => kind === 'ready'), 'a process to open the store')
    return started
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  call(call: StoreCall): Promise<unknown> {
    const id = (this.#lastCall += 1)
    const answer = Promise.withResolvers<unknown>()
    this.#calls.set(id, answer)
    this.#child.send({ id, call })
    return within(answer.promise, `another process to ${call.do}`, 20_000)
  }

  /** Ids delivered to it so far. */
  delivered(): string[] {
    return this.reports.flatMap((report) => (report.kind === 'delivered' ? report.ids : []))
  }

  /** Resolves once `condition` holds after one of its reports. */
  until(condition: (self: StoreProcess) => boolean, what: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const check = (): void => {
      if (!condition(this)) return
      this.#waiting.delete(check)
      resolve()
    }
    this.#waiting.add(check)
    check()
    return within(promise, what, 20_000)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Kills it; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await within(exit, 'a killed process to end')
  }

  #answer({ id, value, error }: Reply): void {
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    if (error === undefined) call?.resolve(value)
    else call?.reject(new Error(error))
  }
}

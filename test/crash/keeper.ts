import { isGone } from '../../src/internal/process-identity.ts'
import { descendants, gone, until, type WebProcess } from '../services/web-process.ts'

/** Starts a web process again whenever it ends, as a service manager does. */
export class Keeper {
  readonly #start: () => WebProcess
  readonly #outputs: string[] = []
  #web: WebProcess
  #ending = false

  constructor(start: () => WebProcess) {
    this.#start = start
    this.#web = this.#watched()
  }

  get pid(): number {
    return this.#web.pid
  }

  /** What the latest processes said. */
  output(): string {
    return [...this.#outputs, this.#web.output()].slice(-5).join('---\n')
  }

  /** Resolves with the first match in what the living process writes. */
  says(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    const look = (): RegExpExecArray | undefined => (isGone(this.pid, null) ? undefined : (pattern.exec(this.#web.output()) ?? undefined))
    return until(look, () => `${pattern} in the output:\n${this.output()}`, timeoutMs)
  }

  async end(): Promise<void> {
    this.#ending = true
    const family = descendants(this.pid)
    this.#web.child.kill('SIGTERM')
    await this.#web.ended
    await gone(family, 5_000)
  }

  #watched(): WebProcess {
    const web = this.#start()
    void web.ended.then(() => {
      if (this.#ending) return
      this.#outputs.push(web.output())
      this.#web = this.#watched()
    })
    return web
  }
}

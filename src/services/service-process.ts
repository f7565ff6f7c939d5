import { type ChildProcess, fork } from 'node:child_process'
import { closeSync } from 'node:fs'

import type { Clock } from '../internal/clock.ts'
import { childEnvironment, childExecArgv } from '../internal/child-environment.ts'
import { logTail, openLog } from './log-file.ts'
import { parseReport, type StartMessage, type StopMessage } from './messages.ts'
import type { WorkerExit, WorkerProcess } from './worker-process.ts'

/** What a {@link ServiceProcess} is made from. */
export interface ServiceProcessOptions {
  /** Path of the module that the process runs. */
  readonly entry: string
  readonly start: StartMessage
  readonly clock: Clock
}

/** What a worker may need besides the grace of its tasks: closing its consumer, ending its children. */
const FORCE_AFTER_MS = 2_000

/**
 * One child process that runs a worker. It never keeps this process alive, and this process's end, of
 * whatever kind, ends it: it sees its channel close.
 */
export class ServiceProcess implements WorkerProcess {
  readonly #options: ServiceProcessOptions
  readonly #ready = Promise.withResolvers<void>()
  readonly #exited = Promise.withResolvers<WorkerExit>()
  #child: ChildProcess | undefined
  #reported: string | undefined
  #logFrom = 0
  #isReady = false
  #hasEnded = false

  constructor(options: ServiceProcessOptions) {
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#hasEnded ? undefined : this.#child?.pid
  }

  start(): void {
    try {
      this.#fork()
    } catch (error) {
      this.#end(`could not be started: ${(error as Error).message}`)
    }
  }

  ready(): Promise<void> {
    return this.#ready.promise
  }

  exited(): Promise<WorkerExit> {
    return this.#exited.promise
  }

  log(): string {
    return logTail(this.#options.start.plan.logFile, this.#logFrom)
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#child === undefined || this.#hasEnded) return
    // It has no task yet, and may be stuck.
    if (!this.#isReady) this.#killAll()
    const order: StopMessage = { kind: 'stop', graceMs }
    if (this.#child.connected) this.#child.send(order, () => {})
    else this.#child.kill('SIGTERM')
    const deadline = this.#options.clock.after(graceMs + FORCE_AFTER_MS, () => this.#killAll(), { keepAlive: true })
    await this.#exited.promise
    deadline.cancel()
  }

  #fork(): void {
    const { entry, start } = this.#options
    const { fd, from } = openLog(start.plan.logFile)
    this.#logFrom = from
    try {
      this.#child = fork(entry, [], {
        execArgv: childExecArgv(),
        env: childEnvironment('worker'),
        stdio: ['ignore', fd, fd, 'ipc'],
        serialization: 'json',
        // A process group of its own: a terminal's Ctrl-C does not reach it, and one signal ends it with its children.
        detached: process.platform !== 'win32',
        windowsHide: true,
      })
    } finally {
      closeSync(fd)
    }
    this.#watch(this.#child)
    // A failed write means that the process has gone; its exit says so.
    this.#child.send(start, () => {})
    this.#child.unref()
    this.#child.channel?.unref()
  }

  #watch(child: ChildProcess): void {
    child.on('message', (message) => this.#receive(message))
    child.once('exit', (code, signal) => {
      this.#killAll()
      this.#end(signal === null ? `exited with code ${code}` : `was ended by ${signal}`)
    })
    child.on('error', (error) => {
      // Without an id it never ran, and no exit will follow.
      if (child.pid === undefined) this.#end(`could not be started: ${error.message}`)
    })
  }

  #receive(message: unknown): void {
    const report = parseReport(message)
    if (report?.kind === 'failed') this.#reported = report.detail
    if (report?.kind !== 'ready') return
    this.#isReady = true
    this.#ready.resolve()
  }

  /** Its own children belong to its group, so none of them outlives it, even one in a busy loop. */
  #killAll(): void {
    const pid = this.#child?.pid
    if (pid === undefined) return
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
    } catch {
      // Nobody is left.
    }
  }

  #end(detail: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#exited.resolve({ detail: this.#reported === undefined ? detail : `${detail}: ${this.#reported}`, log: this.log() })
  }
}

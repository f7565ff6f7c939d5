import { Backoff } from '../backoff.ts'
import type { RedisAddress } from './address.ts'
import type { RedisPackage } from './client.ts'
import { dial, type Dialled } from './dial.ts'
import { Fault, isRefusal } from './faults.ts'

/** How a connection is made, and how often that is tried. */
export interface DiallerOptions {
  readonly address: RedisAddress
  /** How long a first connection is tried. */
  readonly connectionTimeoutMs: number
  /** Asks for invalidations of the keys that are read. */
  readonly tracking?: boolean
  readonly clientName?: string
  /** How long one attempt to connect may take; `connectionTimeoutMs` when absent. */
  readonly connectTimeoutMs?: number
  readonly socketKeepAlive?: boolean
  /** How often a lost connection is tried again; for ever when absent. */
  readonly maxRetries?: number
}

/** What a {@link Dialler} asks and tells while it tries. */
export interface DiallingParty {
  /** Whether trying keeps the process alive. */
  isWanted(): boolean
  /** Called after each attempt that failed. */
  onFault(fault: unknown): void
}

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 2000

/** A connection that broke earlier than that is not made anew at once. */
const STEADY_AFTER_MS = 500

/** What an attempt leaves of the time of those who wait, so that they hear what it says. */
const REST_MS = 50

/** Makes connections, one after the other: each time with the address that answered last, then the others. */
export class Dialler {
  readonly #options: DiallerOptions
  readonly #party: DiallingParty
  readonly #signal: AbortSignal
  readonly #backoff = new Backoff(FIRST_DELAY_MS, LONGEST_DELAY_MS)
  #current = 0
  #connectedAtMs: number | undefined

  /** `signal` ends everything. */
  constructor(options: DiallerOptions, party: DiallingParty, signal: AbortSignal) {
    this.#options = options
    this.#party = party
    this.#signal = signal
  }

  /** Tries until there is a connection: the first one for a while, and not at all where that is pointless; a lost one on and on. */
  async connect(redis: RedisPackage): Promise<Dialled> {
    const { connectionTimeoutMs, maxRetries = Infinity } = this.#options
    const startedMs = performance.now()
    const isAgain = this.#connectedAtMs !== undefined
    if (this.#connectedAtMs === undefined || startedMs - this.#connectedAtMs >= STEADY_AFTER_MS) this.#backoff.reset()
    else await this.#pause()

    for (let tries = 1; ; tries++) {
      if (this.#signal.aborted) throw new Fault('was closed while it was being connected.', { isFinal: true })
      const leftMs = connectionTimeoutMs - (performance.now() - startedMs)
      try {
        return await this.#dialAny(redis, isAgain ? connectionTimeoutMs : leftMs)
      } catch (error) {
        this.#party.onFault(error)
        const isOver = isAgain ? tries >= maxRetries : isRefusal(error) || leftMs <= LONGEST_DELAY_MS / 2
        if (isOver) throw error
      }
      await this.#pause()
    }
  }

  async #dialAny(redis: RedisPackage, budgetMs: number): Promise<Dialled> {
    const { address, clientName = `celeriac:${process.pid}`, tracking = false, socketKeepAlive = true, connectTimeoutMs = Infinity } = this.#options
    const addresses = [address, ...address.alternates]
    const timeoutMs = Math.min(connectTimeoutMs, Math.max(REST_MS, budgetMs - REST_MS) / addresses.length)
    let fault: unknown
    for (let tries = 0; tries < addresses.length; tries++) {
      const which = (this.#current + tries) % addresses.length
      try {
        const deadline = { timeoutMs, keepAlive: this.#party.isWanted(), signal: this.#signal }
        const dialled = await dial(addresses[which] as RedisAddress, { redis, clientName, tracking, socketKeepAlive }, deadline)
        this.#current = which
        this.#connectedAtMs = performance.now()
        return dialled
      } catch (error) {
        fault = error
      }
    }
    throw fault
  }

  #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, this.#backoff.next())
    if (!this.#party.isWanted()) timer.unref()
    const abort = (): void => {
      clearTimeout(timer)
      resolve()
    }
    this.#signal.addEventListener('abort', abort, { once: true })
    return promise.finally(() => this.#signal.removeEventListener('abort', abort))
  }
}

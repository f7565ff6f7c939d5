import { CeleriacError, ClosedError, OperationalError } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { discard, loadRedis, type OpenableRedisClient, type RedisClient, type RedisPackage } from './client.ts'
import { before } from './deadline.ts'
import type { Dialled } from './dial.ts'
import { Dialler, type DiallerOptions } from './dialler.ts'
import { describeFault, describeLoss, Fault, isElsewhereOrLater } from './faults.ts'
import { HealthCheck } from './health.ts'
import { Patience } from './patience.ts'

/** What a {@link RedisConnection} is made with. */
export interface RedisConnectionOptions extends DiallerOptions {
  /** Begins error messages: `The broker "redis://:***@host:6379/0"`. */
  readonly name: string
  /** How long a call waits for a connection until it rejects. */
  readonly connectionTimeoutMs: number
  /** For {@link RedisConnection.now} only: waiting for a network takes real time. */
  readonly clock: Clock
  readonly logger: Logger
  /** Tells {@link RedisConnection.onInvalidate} of keys that were read and changed since. */
  readonly tracking?: boolean
  /** How long the server may take to answer when it is asked whether it is there. */
  readonly answerTimeoutMs?: number
  /** How often it is asked while nothing comes from it; 0 for never. */
  readonly healthCheckMs?: number
}

const ANSWER_TIMEOUT_MS = 12_000
const HEALTH_CHECK_MS = 10_000

/** A difference between the clocks below that is the network's as likely as theirs. */
const LEAST_SKEW_MS = 500

/**
 * One connection that is made again, for ever, whenever it is lost. Safe to use from any number of callers.
 *
 * It keeps the process alive while something is being asked, and after `ref()`; not otherwise.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions
  readonly #listeners = new Set<(fault: Error | undefined) => void>()
  readonly #invalidateListeners = new Set<(key: string | null) => void>()
  readonly #closing = new AbortController()
  readonly #dialler: Dialler
  #redis: RedisPackage | undefined
  #client: OpenableRedisClient | undefined
  #health: HealthCheck | undefined
  /** Under way while there is no client and one is wanted. */
  #making: Promise<void> | undefined
  /** Why there is no client. */
  #fault: unknown
  #isToldLost = false
  #skewMs = 0
  #answers = 0
  #pending = 0
  #isHeld = false
  #onIdle: (() => void) | undefined
  #closed: Promise<void> | undefined

  constructor(options: RedisConnectionOptions) {
    this.#options = options
    const party = {
      isWanted: () => this.#isHeld || this.#pending > 0,
      onFault: (fault: unknown) => {
        this.#fault = fault
      },
    }
    this.#dialler = new Dialler(options, party, this.#closing.signal)
  }

  get isReady(): boolean {
    return this.#client !== undefined
  }

  /**
   * Resolves when there is a connection. Rejects after `connectionTimeoutMs` with `OperationalError`, at once where
   * trying again is pointless; a later call tries again.
   */
  async connect(): Promise<void> {
    await this.run(async () => {})
  }

  /**
   * Runs commands on the connection; waits for one that is being made again, at most `connectionTimeoutMs`.
   *
   * Rejects with `OperationalError` when there is none, when the server refused, or when the connection broke before the
   * reply: what was sent may then have been done or not.
   */
  run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T> {
    return this.#run(commands, this.#options.connectionTimeoutMs)
  }

  /** As `run`, for commands that may be done twice: when the connection broke, they are run again until the time is over. */
  async runRepeatable<T>(commands: (client: RedisClient) => Promise<T>): Promise<T> {
    const untilMs = performance.now() + this.#options.connectionTimeoutMs
    for (;;) {
      try {
        return await this.#run(commands, untilMs - performance.now())
      } catch (error) {
        if (!(error instanceof BrokenOffError) || performance.now() >= untilMs || this.#closing.signal.aborted) throw error
      }
    }
  }

  /** Calls `listener` once when the connection is lost, with the fault, and once when it is back, with `undefined`. */
  onChange(listener: (fault: Error | undefined) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Calls `listener` when others have changed a key that was read, or `invalidate` says so; with `null` when any may have changed. */
  onInvalidate(listener: (key: string | null) => void): () => void {
    this.#invalidateListeners.add(listener)
    return () => void this.#invalidateListeners.delete(listener)
  }

  /** Says that this connection has changed a key, or any, to whom the server does not. */
  invalidate(key: string | null): void {
    for (const listener of this.#invalidateListeners) this.#safely(() => listener(key))
  }

  /** The time of the clock, in the server's terms: milliseconds since 1970. */
  now(): number {
    return this.#options.clock.now() + this.#skewMs
  }

  /** Keeps the process alive from now on. */
  ref(): void {
    this.#isHeld = true
    this.#hold()
  }

  /** No longer keeps the process alive but while something is being asked. */
  unref(): void {
    this.#isHeld = false
    this.#hold()
  }

  /** Waits for what is being asked, at most so long, then closes. Safe to call twice. */
  close(timeoutMs: number = new Patience(this.#options.connectionTimeoutMs).leftMs): Promise<void> {
    return (this.#closed ??= this.#close(timeoutMs))
  }

  async #close(timeoutMs: number): Promise<void> {
    if (this.#client === undefined) this.#closing.abort()
    await this.#idle(timeoutMs)
    this.#closing.abort()
    await this.#making?.catch(() => {})
    this.#drop()
  }

  async #run<T>(commands: (client: RedisClient) => Promise<T>, timeoutMs: number): Promise<T> {
    this.#begin()
    try {
      const client = this.#client ?? (await this.#ready(timeoutMs))
      try {
        const reply = await commands(client)
        this.#answers++
        return reply
      } catch (error) {
        throw this.#failed(client, error)
      }
    } finally {
      this.#end()
    }
  }

  #idle(timeoutMs: number): Promise<void> {
    if (this.#pending === 0) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, timeoutMs)
    this.#onIdle = resolve
    return promise.finally(() => clearTimeout(timer))
  }

  #begin(): void {
    if (this.#pending++ === 0 && !this.#isHeld) this.#client?.ref()
  }

  #end(): void {
    if (--this.#pending > 0) return
    if (!this.#isHeld) this.#client?.unref()
    this.#onIdle?.()
  }

  #hold(): void {
    if (this.#isHeld || this.#pending > 0) this.#client?.ref()
    else this.#client?.unref()
  }

  /** The next client there is. Its absence is told with the reason. */
  async #ready(timeoutMs: number): Promise<RedisClient> {
    // Its first import may take longer than a connection.
    this.#redis ??= await loadRedis(this.#options.name)
    const untilMs = performance.now() + timeoutMs
    try {
      while (this.#client === undefined) {
        if (this.#closing.signal.aborted) throw this.#closedError()
        this.#making ??= this.#make(this.#redis)
        // It ends at once when the connection is closed.
        await before(this.#making, { timeoutMs: Math.max(0, untilMs - performance.now()), keepAlive: true })
      }
      return this.#client
    } catch (error) {
      if (this.#closing.signal.aborted) throw this.#closedError()
      // What hindered the last attempt says more than that time is over.
      throw this.#toError(error instanceof Fault && this.#fault !== undefined ? this.#fault : error)
    }
  }

  /** Starts to make a connection. Nobody need wait for it. */
  #make(redis: RedisPackage): Promise<void> {
    const making = this.#dialler.connect(redis).then((dialled) => {
      this.#making = undefined
      this.#adopt(dialled)
    })
    making.catch(() => {
      if (this.#making === making) this.#making = undefined
    })
    return making
  }

  #adopt({ client, skewMs }: Dialled): void {
    if (this.#closing.signal.aborted) {
      discard(client)
      throw this.#closedError()
    }
    this.#skewMs = Math.abs(skewMs) < LEAST_SKEW_MS ? 0 : Math.round(skewMs)
    this.#client = client
    this.#fault = undefined
    client.on('error', (error) => this.#lose(client, error))
    client.on('invalidate', (key) => this.#invalidated(key))
    this.#hold()
    const { healthCheckMs: everyMs = HEALTH_CHECK_MS, answerTimeoutMs: answerMs = ANSWER_TIMEOUT_MS } = this.#options
    const silent = new Fault(`was lost: it did not answer for ${answerMs / 1000} s. Look at the server and the network.`)
    if (everyMs > 0) this.#health = new HealthCheck(client, { everyMs, answerMs }, () => this.#answers, () => this.#lose(client, silent))
    // It may have ended between its last answer and now.
    if (!client.isReady) this.#lose(client, new Error('Socket closed unexpectedly'))
    else if (this.#isToldLost) this.#tell(undefined)
  }

  #lose(client: OpenableRedisClient, fault: unknown): void {
    if (client !== this.#client) return
    this.#fault = new Fault(describeLoss(fault))
    this.#drop()
    if (this.#closing.signal.aborted || this.#redis === undefined) return
    this.#making = this.#make(this.#redis)
    this.#tell(this.#toError(this.#fault))
  }

  #drop(): void {
    const client = this.#client
    this.#client = undefined
    this.#health?.stop()
    if (client !== undefined) discard(client)
  }

  #tell(fault: Error | undefined): void {
    this.#isToldLost = fault !== undefined
    for (const listener of this.#listeners) this.#safely(() => listener(fault))
  }

  #invalidated(key: string | Buffer | null): void {
    this.#answers++
    this.invalidate(key === null ? null : String(key))
  }

  /** An error of a listener must not reach the reader of the socket, which would take it for a broken reply. */
  #safely(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#options.logger.error({ err: error }, `A listener of ${this.#options.name} failed.`)
    }
  }

  /** The error of a caller whose commands failed with `error`. */
  #failed(client: RedisClient, error: unknown): unknown {
    if (error instanceof Error && this.#redis !== undefined && error instanceof this.#redis.ErrorReply) return this.#refused(client, error)
    if (client === this.#client && this.#client.isReady) return error
    if (client === this.#client) this.#lose(this.#client, error)
    return this.#closing.signal.aborted ? this.#closedError() : new BrokenOffError(this.#textOf(this.#fault ?? error))
  }

  #refused(client: RedisClient, error: Error): Error {
    const answer = answerOf(error)
    if (!isElsewhereOrLater(answer.message)) return this.#toError(answer)
    if (client === this.#client) this.#lose(this.#client, answer)
    return new BrokenOffError(this.#textOf(answer))
  }

  /** Without the fault as its cause: the text says all of it, and a log would say it again. */
  #toError(fault: unknown): Error {
    return fault instanceof CeleriacError ? fault : new OperationalError(this.#textOf(fault))
  }

  #textOf(fault: unknown): string {
    return `${this.#options.name} ${describeFault(fault)}`
  }

  #closedError(): ClosedError {
    return new ClosedError(`${this.#options.name} was closed. Open another one.`)
  }
}

/** The connection broke, or the server sent us elsewhere, before there was a reply. */
class BrokenOffError extends OperationalError {
  override readonly name = 'OperationalError'
}

/** The server's first error; those of a transaction come together. */
function answerOf(error: Error): Error {
  const replies: unknown = 'replies' in error ? error.replies : undefined
  return (Array.isArray(replies) ? replies.find((reply) => reply instanceof Error) : undefined) ?? error
}

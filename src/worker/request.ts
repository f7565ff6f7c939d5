import type { ResultBackend, StoredResult } from '../backend.ts'
import type { Broker, DeadLetterReason, Delivery, Publication } from '../broker.ts'
import { errbacksOf, langOf, restOfChain } from '../canvas/follow-ups.ts'
import type { Codec } from '../codec.ts'
import type { Config } from '../config/config.ts'
import { ContentDisallowed, DecodeError, NotRegistered, SecurityError, TaskRevokedError, WorkerLostError } from '../errors.ts'
import type { Clock } from '../internal/clock.ts'
import type { Logger } from '../internal/logger.ts'
import { type Consequences, NOT_BEGUN, type Outcome, type Pool } from '../pool.ts'
import { decodeBody, plainArgumentsText } from '../protocol/body.ts'
import { encodeException } from '../protocol/exception.ts'
import { commonHeaders, readRequest } from '../protocol/message-form.ts'
import type { TaskRequest } from '../protocol/task-request.ts'
import { encodeResultMeta, type ExtendedMeta } from '../protocol/result.ts'
import type { State } from '../states.ts'
import { ACKS_LATE_HEADER } from '../submitter.ts'
import { retryMessage } from './retry.ts'
import type { RevokedTasks } from './revoked.ts'
import type { RunningTasks } from './running.ts'
import { storeUnreadable } from './unreadable.ts'

/** Bodies up to so many characters are decoded for `resultExtended`; larger ones would hold up the worker. */
const LARGEST_SHOWN = 16_384

/** How long a message waits while another of the same task id runs here. */
const DUPLICATE_DELAY_MS = 1_000

/** What a request needs of its worker. */
export interface RequestContext {
  readonly pool: Pool
  readonly broker: Broker
  readonly backend: ResultBackend
  readonly codec: Codec
  readonly conf: Config
  readonly revoked: RevokedTasks
  readonly running: RunningTasks
  readonly clock: Clock
  readonly logger: Logger
  /** Node name. */
  readonly hostname: string
  /** Who sends what follows: `gen<pid>@<host>`. */
  readonly origin: string
  readonly replyTo: string
  /** Resolves when the broker has accepted what is to follow. */
  publish(publications: readonly Publication[]): Promise<void>
  /** Counts a message that was refused. */
  onRefused(reason: string): void
  /** Tries a write to a store again until it succeeds; rejects when the worker stops before that. */
  insist(what: string, write: () => Promise<unknown>): Promise<void>
}

/**
 * One delivery from its arrival to its acknowledgement.
 *
 * The promise: **at least once**. A message is acknowledged only after its outcome is stored, or in one commit with it, so whatever
 * dies in between, some worker runs it again; it is never gone with nothing to show. What was begun and
 * lost is counted, and after `taskMaxDeliveries` such ends the task fails and its message is kept as a
 * dead letter: a task that kills its process cannot do so for ever. `acksLate: false` turns this round:
 * acknowledged before it runs, hence at most once.
 *
 * This class is the one place where the order of storing and acknowledging is decided.
 */
export class Request {
  readonly #delivery: Delivery
  readonly #context: RequestContext
  readonly #hasSucceeded: boolean
  readonly #onLong: (id: string) => void

  /** `hasSucceeded`: its result is stored, only its acknowledgement was lost. `onLong` is told when it runs for more than a blink. */
  constructor(delivery: Delivery, context: RequestContext, hasSucceeded: boolean, onLong: (id: string) => void) {
    this.#delivery = delivery
    this.#context = context
    this.#hasSucceeded = hasSucceeded
    this.#onLong = onLong
  }

  /** Resolves when the slot of the pool is free again, to what is left to do for the delivery. May throw as well as reject. */
  process(): Promise<() => Promise<void>> {
    const request = this.#read()
    if (typeof request === 'string') return Promise.resolve(() => this.#buryUnread(request))
    const refusal = this.#refuse(request)
    return refusal === undefined ? this.#execute(request) : Promise.resolve(refusal)
  }

  /** What to do instead of running it, if it must not run or not now. */
  #refuse(request: TaskRequest): (() => Promise<void>) | undefined {
    const { clock, conf, revoked, running } = this.#context
    if (this.#hasSucceeded && this.#acksLate(request)) return () => this.#passOver(request)
    if (revoked.has(request.id)) return () => this.#revoke(request, 'revoked')
    if (request.expiresMs !== undefined && request.expiresMs <= clock.now()) return () => this.#revoke(request, 'expired')
    if (this.#delivery.losses >= conf.taskMaxDeliveries) return () => this.#giveUpLost(request, 'The worker that ran the task was lost', this.#delivery.losses)
    // Delivered twice, or sent twice under one id: one run at a time, so that the id names one run.
    if (running.has(request.id)) return () => this.#requeue({ delayMs: DUPLICATE_DELAY_MS })
    // Python parks nothing at the broker: a message of its with a distant eta arrives at once.
    const early = (request.etaMs ?? 0) - clock.now()
    return early > 0 ? () => this.#requeue({ delayMs: early }) : undefined
  }

  /** Why it cannot be read, if so: then it is kept as a dead letter, for it would stop every worker in turn. */
  #read(): TaskRequest | string {
    try {
      return readRequest(this.#delivery.message)
    } catch (error) {
      if (!(error instanceof DecodeError) && !(error instanceof ContentDisallowed)) throw error
      return error.message
    }
  }

  async #execute(request: TaskRequest): Promise<() => Promise<void>> {
    const { pool, running } = this.#context
    running.begin(request.id, {
      hasBegun: () => pool.pidOf(request.id) !== undefined,
      onLong: () => this.#started(request),
      onState: (state, text) => passing(this.#storeOnce(request, state, text)),
    })
    try {
      const needsNote = !pool.isolated || !this.#acksLate(request)
      const outcome = await (needsNote ? this.#runNoted(request) : this.#run(request))
      return () => this.#conclude(request, outcome)
    } finally {
      running.end(request.id)
    }
  }

  async #runNoted(request: TaskRequest): Promise<Outcome> {
    if (!this.#acksLate(request)) await this.#ack(true)
    if (!this.#context.pool.isolated) await this.#begun()
    return this.#run(request)
  }

  #run(request: TaskRequest): Promise<Outcome> {
    const { conf, pool } = this.#context
    const { losses, message, queue } = this.#delivery
    const execution = { id: request.id, message, queue, redelivered: losses > 0 }
    // One more loss would be its last, and so far it may have been others that ended its process.
    // What is acknowledged already must not be given back any more.
    return pool.run(execution, { alone: losses > 0 && losses + 1 >= conf.taskMaxDeliveries, atOnce: !this.#acksLate(request) })
  }

  #conclude(request: TaskRequest, outcome: Outcome): Promise<void> {
    switch (outcome.kind) {
      case 'succeeded':
        return outcome.followUps === undefined ? this.#succeeded(request, outcome) : this.#publish(outcome.followUps).then(() => this.#succeeded(request, outcome))
      case 'failed':
        return this.#failed(request, outcome)
      case 'retry':
        return this.#retry(request, outcome)
      case 'terminated':
        return this.#revoke(request, 'terminated')
      case 'malformed':
        return this.#malformed(request, outcome.detail)
      case 'refused':
        return this.#refused(request, outcome.reason, outcome.detail)
      case 'unknown-task':
        return this.#offerAgain(request, outcome.detail)
      case 'lost':
        if (outcome === NOT_BEGUN && !this.#acksLate(request)) return this.#sendAgain(request)
        return this.#lost(request, outcome.detail, outcome.bystander)
    }
  }

  #succeeded(request: TaskRequest, outcome: Outcome & { kind: 'succeeded' }): Promise<void> {
    return this.#end(request, 'SUCCESS', outcome.resultText, null, childrenOf(outcome))
  }

  async #malformed(request: TaskRequest, detail: string): Promise<void> {
    await this.#storeError(request, new DecodeError(detail))
    return this.#bury('malformed', detail)
  }

  async #failed(request: TaskRequest, outcome: Outcome & { kind: 'failed' }): Promise<void> {
    const { exceptionText, restOfChain = [], summary, traceback } = outcome
    this.#context.logger.error({ task: request.task, id: request.id, traceback }, `Task ${request.task}[${request.id}] raised ${summary}`)
    // Whoever waits for a later step of its chain would wait for ever.
    for (const taskId of restOfChain) await this.#store(this.#record({ ...request, id: taskId }, 'FAILURE', exceptionText, traceback))
    if (outcome.followUps !== undefined) await this.#publish(outcome.followUps)
    return this.#end(request, 'FAILURE', exceptionText, traceback, childrenOf(outcome))
  }

  /** Sent before the state is stored and this run is acknowledged: whatever dies in between, it is run again, at most twice. */
  async #retry(request: TaskRequest, outcome: Outcome & { kind: 'retry' }): Promise<void> {
    const { clock, codec, logger, origin } = this.#context
    const { message: own, queue } = this.#delivery
    const message = retryMessage(own, request, outcome, { codec, origin, queue, nowMs: clock.now() })
    await this.#publish([{ queue, message, dueAtMs: outcome.etaMs, ...this.#priority() }])
    logger.info({ task: request.task, id: request.id }, `Task ${request.task}[${request.id}] is retried in ${Math.max(0, outcome.etaMs - clock.now()) / 1000} s${outcome.summary === undefined ? '' : `: ${outcome.summary}`}`)
    if (!this.#ignoresResult(request)) await this.#store(this.#record(request, 'RETRY', outcome.exceptionText ?? 'null', outcome.traceback ?? null, childrenOf(outcome)))
    return this.#ack()
  }

  /** Never offered again: whoever reads it next would refuse it too, or worse, would not. */
  async #refused(request: TaskRequest, reason: string, detail: string): Promise<void> {
    this.#context.onRefused(reason)
    this.#context.logger.warn({ task: request.task, id: request.id, event: 'security', reason }, `Refused task ${request.task}[${request.id}]: ${detail}`)
    await this.#storeError(request, new SecurityError(detail, reason))
    await this.#bury('refused', `${reason}: ${detail}`)
  }

  async #lost(request: TaskRequest, detail: string, bystander: boolean): Promise<void> {
    const { conf, logger } = this.#context
    const late = this.#acksLate(request)
    if (bystander && late) return this.#requeue()
    const losses = this.#delivery.losses + 1
    logger.warn({ task: request.task, id: request.id, losses }, `Task ${request.task}[${request.id}] was lost: ${detail}`)
    // It has no message any more; only its result is left to tell.
    if (!late) return this.#storeError(request, new WorkerLostError(`${detail}. It was acknowledged before it ran, so no worker runs it again.`))
    if (conf.taskRejectOnWorkerLost && losses < conf.taskMaxDeliveries) return this.#requeue({ lost: true })
    await this.#giveUpLost(request, detail, losses)
  }

  /** It has no message any more, but it has not begun either, so that another one lets it run once all the same. */
  async #sendAgain(request: TaskRequest): Promise<void> {
    const { message, queue } = this.#delivery
    try {
      await this.#publish([{ queue, message, ...this.#priority() }])
    } catch {
      await this.#lost(request, 'The worker stopped, and could not send it again', true)
    }
  }

  /** The priority that it was sent with. Of a foreign sender's it says another thing on each broker. */
  #priority(): { priority?: number } {
    const { headers, properties } = this.#delivery.message
    const { priority } = properties
    return headers['lang'] === 'js' && typeof priority === 'number' ? { priority } : {}
  }

  /** Unless it is another worker's by now, where it may yet succeed. */
  async #giveUpLost(request: TaskRequest, detail: string, losses: number): Promise<void> {
    if (!this.#delivery.isHeld) return this.#requeue({ lost: losses > this.#delivery.losses })
    const error = new WorkerLostError(`${detail}. It was begun ${losses === 1 ? 'once' : `${losses} times`} and never ended.`)
    const { errbacks, rest } = this.#afterLoss(request)
    for (const taskId of rest) await this.#storeError({ ...request, id: taskId }, error)
    await this.#publish(errbacks)
    await this.#storeError(request, error)
    await this.#bury('lost', detail)
  }

  /** Another worker, or this one after an update, may know the task; the message waits and is offered again. */
  async #offerAgain(request: TaskRequest, detail: string): Promise<void> {
    const { conf, logger } = this.#context
    if (this.#acksLate(request) && this.#delivery.losses + 1 < conf.taskMaxDeliveries) {
      logger.error({ task: request.task, id: request.id }, `${detail} It is offered again in ${conf.taskUnknownDelay} s.`)
      if (!this.#ignoresResult(request)) {
        const { text } = encodeException(new NotRegistered(detail, request.task), { maxLength: conf.taskErrorMaxLength })
        await this.#storeOnce(request, 'RETRY', text).catch(() => {})
      }
      return this.#requeue({ delayMs: conf.taskUnknownDelay * 1000, lost: true })
    }
    logger.error({ task: request.task, id: request.id }, `${detail} It goes to the dead-letter queue.`)
    await this.#storeError(request, new NotRegistered(detail, request.task))
    await this.#bury('unknown-task', detail)
  }

  async #revoke(request: TaskRequest, reason: 'revoked' | 'expired' | 'terminated'): Promise<void> {
    this.#context.logger.info({ task: request.task, id: request.id }, `Task ${request.task}[${request.id}] is ${reason}`)
    const { text } = encodeException(new TaskRevokedError(reason), { maxLength: this.#context.conf.taskErrorMaxLength })
    return this.#storeAndAck(this.#record(request, 'REVOKED', text, null))
  }

  /** Runs for longer than a blink: from now on it counts as begun, and people can see it. */
  #started(request: TaskRequest): void {
    const { conf, hostname, pool } = this.#context
    this.#onLong(request.id)
    if (pool.isolated) passing(this.#begun())
    if (!conf.taskTrackStarted || this.#ignoresResult(request)) return
    const where = JSON.stringify({ pid: pool.pidOf(request.id) ?? process.pid, hostname })
    // A state of the task's own may have been faster, and says more.
    passing(this.#storeOnce(request, 'STARTED', where, ['PENDING', 'RECEIVED', 'STARTED', 'RETRY']))
  }

  #end(request: TaskRequest, status: State, resultText: string | undefined, traceback: string | null, children: readonly string[] | undefined): Promise<void> {
    return this.#ignoresResult(request) ? this.#ack() : this.#storeAndAck(this.#record(request, status, resultText, traceback, children))
  }

  /** Of a task whose process died, so that only its message can tell what was to follow; nothing where only that process could read it. */
  #afterLoss(request: TaskRequest): { readonly errbacks: readonly Publication[]; readonly rest: readonly string[] } {
    const { clock, codec, conf, logger } = this.#context
    const { message } = this.#delivery
    try {
      const { embed } = decodeBody(message, { accept: conf.acceptContent, maxSize: conf.taskMessageMaxSize })
      const followed = { ...this.#context, id: request.id, rootId: request.rootId, lang: langOf(message.headers), isSigned: codec.verify(message) === true, isOurs: () => false, nowMs: clock.now() }
      return { errbacks: errbacksOf(embed, followed, (problem) => logger.warn({ task: request.task, id: request.id }, problem)), rest: restOfChain(embed) }
    } catch (error) {
      logger.warn({ task: request.task, id: request.id, err: error }, `Could not look for what follows ${request.task}[${request.id}]: ${String(error)}`)
      return { errbacks: [], rest: [] }
    }
  }

  async #publish(publications: readonly Publication[]): Promise<void> {
    if (publications.length > 0) await this.#context.insist('send what follows a task', () => this.#context.publish(publications))
  }

  #store(record: StoredResult): Promise<void> {
    return this.#context.insist('store a result', () => this.#context.backend.store(record))
  }

  /** In one commit where messages and results are in one store; else stored first, acknowledged after: see the promise above. */
  #storeAndAck(record: StoredResult): Promise<void> {
    const { backend, broker } = this.#context
    const write = backend.jointWrite?.(record)
    if (write === undefined || write.storage !== broker.storage) return this.#storeThenAck(record)
    return this.#context.insist('store a result and acknowledge its message', () => this.#delivery.ack(write))
  }

  async #storeThenAck(record: StoredResult): Promise<void> {
    await this.#store(record)
    await this.#ack()
  }

  async #storeError(request: TaskRequest, error: Error): Promise<void> {
    if (this.#ignoresResult(request)) return
    const { text } = encodeException(error, { maxLength: this.#context.conf.taskErrorMaxLength })
    await this.#store(this.#record(request, 'FAILURE', text, null))
  }

  /** For what is only seen in passing: tried later, an old state could take the place of a newer one. */
  async #storeOnce(request: TaskRequest, status: State, resultText: string, onlyOver?: readonly State[]): Promise<void> {
    await this.#context.backend.store(this.#record(request, status, resultText, null), onlyOver === undefined ? {} : { onlyOver })
  }

  #record(request: TaskRequest, status: State, resultText: string | undefined, traceback: string | null, children?: readonly string[]): StoredResult {
    const { clock, conf, hostname } = this.#context
    const now = clock.now()
    const text = encodeResultMeta({
      taskId: request.id,
      status,
      resultText,
      traceback,
      dateDoneMs: now,
      children,
      groupId: request.groupId,
      parentId: request.parentId,
      extended: conf.resultExtended
        ? { name: request.task, ...this.#shownArguments(request, status), worker: hostname, retries: request.retries, queue: this.#delivery.queue }
        : undefined,
    })
    return { taskId: request.id, status, text, expiresAtMs: conf.resultExpires > 0 ? now + conf.resultExpires * 1000 : undefined }
  }

  /** The arguments themselves where they are small; what the sender wrote for people to read where they are not. */
  #shownArguments(request: TaskRequest, status: State): Pick<ExtendedMeta, 'args' | 'kwargs' | 'argsText'> {
    const { message } = this.#delivery
    // What is compressed may be of any size.
    if (message.body.length <= LARGEST_SHOWN && (commonHeaders(message)['compression'] ?? null) === null) {
      // What has succeeded was read where it ran, so it need not be read again.
      const argsText = status === 'SUCCESS' ? plainArgumentsText(message) : undefined
      if (argsText !== undefined) return { argsText }
      try {
        const { args, kwargs } = decodeBody(message, { accept: ['json'] })
        return { args, kwargs }
      } catch {
        // It ends as malformed where it is run; here it only is not shown.
      }
    }
    return { args: request.argsrepr ?? null, kwargs: request.kwargsrepr ?? null }
  }

  #ignoresResult(request: TaskRequest): boolean {
    return request.ignoreResult ?? this.#context.conf.taskIgnoreResult
  }

  #acksLate(request: TaskRequest): boolean {
    return acksLate(request.headers, this.#context.conf)
  }

  #ack(atOnce?: boolean): Promise<void> {
    return this.#context.insist('acknowledge a message', () => this.#delivery.ack(undefined, atOnce))
  }

  #begun(): Promise<void> {
    return this.#context.insist('record that a task has begun', () => this.#delivery.begun())
  }

  #requeue(options?: { delayMs?: number; lost?: boolean }): Promise<void> {
    return this.#context.insist('put a message back', () => this.#delivery.requeue(options))
  }

  #passOver(request: TaskRequest): Promise<void> {
    this.#context.logger.info({ task: request.task, id: request.id }, `Task ${request.task}[${request.id}] is already done`)
    return this.#ack()
  }

  async #buryUnread(detail: string): Promise<void> {
    await storeUnreadable(this.#delivery.message, detail, this.#context)
    await this.#bury('malformed', detail)
  }

  async #bury(reason: DeadLetterReason, detail: string): Promise<void> {
    this.#context.logger.error({ queue: this.#delivery.queue, reason }, `Message to the dead-letter queue: ${detail}`)
    await this.#context.insist('move a message to the dead-letter queue', () => this.#delivery.reject(reason, detail))
  }
}

/** The tasks that it has sent, and those that follow it. */
function childrenOf({ children = [], followUps = [] }: Consequences): readonly string[] | undefined {
  const ids = [...children, ...followUps.map(({ message }) => String(message.headers['id']))]
  return ids.length === 0 ? undefined : ids
}

/** For writes that nothing rests on: what is written in passing is for people to see. */
export function passing(write: Promise<void>): void {
  write.catch(() => {})
}

/** Whether a message is acknowledged after its task has run, which its headers may say for themselves. */
export function acksLate(headers: Readonly<Record<string, unknown>>, conf: Config): boolean {
  const own = headers[ACKS_LATE_HEADER]
  return typeof own === 'boolean' ? own : conf.taskAcksLate
}

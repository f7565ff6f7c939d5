import { errbacksOf, type FollowedTask, langOf, followUpsOf, restOfChain } from '../canvas/follow-ups.ts'
import type { Codec, DecodedCall } from '../codec.ts'
import type { Config } from '../config/config.ts'
import { childrenOf, type CurrentTask, runAsCurrentTask } from '../current.ts'
import { ContentDisallowed, DecodeError, NotRegistered, type Retry, SecurityError } from '../errors.ts'
import type { Clock } from '../internal/clock.ts'
import type { Stopper } from '../internal/stopper.ts'
import type { Consequences, Execution, Outcome } from '../pool.ts'
import { GRAPH_CONTENT_TYPE } from '../protocol/body.ts'
import { encodeException } from '../protocol/exception.ts'
import { commonHeaders, readRequest } from '../protocol/message-form.ts'
import type { TaskRequest } from '../protocol/task-request.ts'
import { FUNCTION_HEADER, type Runnable } from '../submitter.ts'
import { type Handler, handlerOf } from './handlers.ts'
import { askForRetry, isRetry, retryOutcome } from './retry.ts'

/** What running tasks needs of the process that it happens in. */
export interface ExecuteContext {
  readonly codec: Codec
  readonly conf: Config
  readonly clock: Clock
  /** Who sends what follows: `gen<pid>@<host>`. */
  readonly origin: string
  readonly replyTo: string
  /** Whether a task of that name is registered here, and so is one of ours. */
  readonly isOurs: (name: string) => boolean
  /**
   * Finds what to run. Throws, or rejects, with `NotRegistered` when nothing is known by that name, with `SecurityError` when the message
   * had to be signed.
   */
  readonly find: (request: TaskRequest, isSigned: boolean) => Handler | Promise<Handler>
  /** Node name of the worker. */
  readonly hostname: string
  readonly isEager: boolean
  readonly onState: (id: string, state: string, resultText: string) => void
}

/**
 * Runs one task and says how it ended. Never rejects.
 *
 * Verify, decode, find, bind, call, encode: whatever fails on the way becomes the outcome that it deserves. Nothing of a message
 * is decoded before its signature is checked; without one it runs registered tasks with plain data only.
 */
export async function execute(execution: Execution, stopper: Stopper, context: ExecuteContext): Promise<Outcome> {
  const { codec, conf } = context
  const { message } = execution
  let isSigned: boolean
  let request: TaskRequest
  let call: DecodedCall
  try {
    const verdict = codec.verify(message)
    if (typeof verdict === 'object') return { kind: 'refused', ...verdict }
    isSigned = verdict
    request = readRequest(message)
    // Its module may register the types of its arguments. What fails here fails again below.
    if (message.contentType === GRAPH_CONTENT_TYPE && FUNCTION_HEADER in request.headers) await tryToFind(request, isSigned, context)
    const decoded = codec.decodeCall({ body: message.body, contentType: message.contentType, headers: commonHeaders(message) }, { accept: conf.acceptContent, maxSize: conf.taskMessageMaxSize })
    call = decoded instanceof Promise ? await decoded : decoded
  } catch (error) {
    if (error instanceof DecodeError || error instanceof ContentDisallowed) return { kind: 'malformed', detail: error.message }
    return failed(error, conf.taskErrorMaxLength)
  }
  let handler: Handler
  try {
    const found = call.fn === undefined ? context.find(request, isSigned) : handlerOf(call.fn as Runnable)
    handler = found instanceof Promise ? await found : found
  } catch (error) {
    if (error instanceof SecurityError) return { kind: 'refused', reason: error.reason, detail: error.message }
    return error instanceof NotRegistered ? { kind: 'unknown-task', detail: error.message } : failed(error, conf.taskErrorMaxLength)
  }
  // Whoever asked may be Python, and read nothing but JSON.
  const isForeign = !isSigned && langOf(commonHeaders(message)) !== 'js'
  const task = new TaskView(execution, { request, call, isForeign }, stopper, context)
  if (call.embed.chord !== null) tellOnStderr(`Task ${request.task}[${request.id}] is part of a chord, which this version does not count: the chord's body is not run.`)
  const followed = (): FollowedTask => ({ ...context, id: request.id, rootId: request.rootId, lang: langOf(commonHeaders(message)), isSigned, nowMs: context.clock.now() })
  try {
    // On its own: a task's `this` is what it is in any call of a function.
    const { bind, run } = handler
    const args = bind(call.args, call.kwargs)
    const result: unknown = await runAsCurrentTask(task, () => run(...args))
    const resultText = codec.encodeResult(request.id, result, 'result', isForeign)
    const { callbacks, chain } = call.embed
    const followUps = callbacks === null && chain === null ? [] : followUpsOf(call.embed, result, followed())
    return { kind: 'succeeded', ...(resultText !== undefined && { resultText }), ...consequences(task, { followUps }) }
  } catch (error) {
    if (isRetry(error)) return retried(error, request, call, task, { ...context, contentType: message.contentType, isSigned })
    const { errbacks, chain } = call.embed
    const followUps = errbacks === null ? [] : errbacksOf(call.embed, followed(), tellOnStderr)
    return { ...failed(error, conf.taskErrorMaxLength), ...consequences(task, { followUps, restOfChain: chain === null ? [] : restOfChain(call.embed) }) }
  }
}

async function tryToFind(request: TaskRequest, isSigned: boolean, { find }: ExecuteContext): Promise<void> {
  try {
    await find(request, isSigned)
  } catch {
    // It is told below.
  }
}

/** Where what tasks print goes: the worker's log. */
function tellOnStderr(problem: string): void {
  process.stderr.write(`${problem}\n`)
}

function retried(error: Retry, request: TaskRequest, call: DecodedCall, task: CurrentTask, context: ExecuteContext & { contentType: string; isSigned: boolean }): Outcome {
  try {
    return { ...retryOutcome(error, request, call, context), ...consequences(task, {}) }
  } catch (refusal) {
    return failed(refusal, context.conf.taskErrorMaxLength)
  }
}

/** What a message asks for, once it is read. */
interface Asked {
  readonly request: TaskRequest
  readonly call: DecodedCall
  /** It is not known to come from one of ours. */
  readonly isForeign: boolean
}

/** Most tasks have none, and say nothing of them. */
function consequences(task: CurrentTask, { followUps = [], restOfChain: rest = [] }: Consequences): Consequences {
  const children = childrenOf(task)
  return {
    ...(followUps.length > 0 && { followUps }),
    ...(rest.length > 0 && { restOfChain: rest }),
    ...(children.length > 0 && { children }),
  }
}

/** The outcome of a task that threw `error`, of whose texts `maxLength` characters are kept. */
export function failed(error: unknown, maxLength: number | undefined): Outcome {
  const encoded = encodeException(error, { maxLength })
  return { kind: 'failed', exceptionText: encoded.text, traceback: encoded.traceback, summary: encoded.summary }
}

/** A class, since an accessor of an object's own costs as much as running a short task. What may be taken out of it is bound. */
class TaskView implements CurrentTask {
  readonly id: string
  readonly name: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly retries: number
  readonly eta: Date | undefined
  readonly expires: Date | undefined
  readonly rootId: string
  readonly parentId: string | undefined
  readonly groupId: string | undefined
  readonly hostname: string
  readonly deliveryInfo: CurrentTask['deliveryInfo']
  readonly headers: Readonly<Record<string, unknown>>
  readonly isEager: boolean
  readonly updateState: CurrentTask['updateState']
  readonly progress: CurrentTask['progress']
  readonly retry: CurrentTask['retry']
  readonly #stopper: Stopper

  constructor({ queue, redelivered }: Execution, { call, isForeign, request }: Asked, stopper: Stopper, context: ExecuteContext) {
    const report = (state: string, meta: unknown): void =>
      context.onState(request.id, state, context.codec.encodeResult(request.id, meta ?? null, 'meta', isForeign) ?? 'null')
    this.id = request.id
    this.name = request.task
    this.args = call.args
    this.kwargs = call.kwargs
    this.retries = request.retries
    this.eta = request.etaMs === undefined ? undefined : new Date(request.etaMs)
    this.expires = request.expiresMs === undefined ? undefined : new Date(request.expiresMs)
    this.rootId = request.rootId
    this.parentId = request.parentId
    this.groupId = request.groupId
    this.hostname = context.hostname
    this.deliveryInfo = { routingKey: queue, redelivered }
    this.headers = request.headers
    this.isEager = context.isEager
    this.updateState = ({ state, meta }) => report(state, meta)
    this.progress = (meta) => report('PROGRESS', meta)
    this.retry = (options) => askForRetry(request, options ?? {}, context.clock.now())
    this.#stopper = stopper
  }

  get signal(): AbortSignal {
    return this.#stopper.signal
  }
}

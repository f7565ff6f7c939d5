import { randomUUID } from 'node:crypto'

import type { Publication } from './broker.ts'
import { type CallArguments, joinArguments, type KeywordArguments, NO_KEYWORDS, type Prefixes, splitArguments } from './call.ts'
import type { Codec, Traveller } from './codec.ts'
import type { Config } from './config/config.ts'
import { toMs } from './config/duration.ts'
import { isPlainObject, type Parts } from './config/kinds.ts'
import { currentTask, noteChild } from './current.ts'
import { InvalidTaskError } from './errors.ts'
import { assertFunction } from './functions/callable.ts'
import { bindArguments, parameterNames } from './functions/parameters.ts'
import { findReference, type FunctionReference, referenceName } from './functions/reference.ts'
import { travelName, travelOf } from './functions/travel.ts'
import type { Clock } from './internal/clock.ts'
import { type Embed, joinBody } from './protocol/body.ts'
import { buildTaskMessage, refuseTooLarge } from './protocol/message.ts'
import { type FormedMessage, MessageForm, type MessageFormInput } from './protocol/message-form.ts'
import { argsRepr } from './protocol/repr.ts'
import { newTaskId } from './protocol/task-id.ts'
import { parseTime } from './protocol/time.ts'
import { Future } from './result/future.ts'
import { FuturePool } from './result/future-pool.ts'
import type { ResultSource } from './result/source.ts'
import { Submitted } from './result/submitted.ts'
import { expectNoResult } from './result/waitable.ts'
import { checked, checkOptions, checkSendOptions, listOf, NO_OPTIONS, SEND_KINDS, type SendOptions } from './send-options.ts'
import { FUNCTION_HEADER } from './signing/key-ring.ts'
import { bindTaskArguments, isTask, type Task } from './task.ts'

export { FUNCTION_HEADER }

/** Header of a task that asks to be acknowledged early or late, against the worker's configuration. */
export const ACKS_LATE_HEADER = 'x-celeriac-acks-late'

const APPLY_KINDS: Parts<ApplyOptions<readonly unknown[]>> = {
  ...SEND_KINDS,
  args: checked('an array of arguments', Array.isArray),
  kwargs: checked('an object of names and values', isPlainObject),
}

/** How many messages of one `map` share a commit; more would hold up the event loop. */
const MAP_BATCH = 500

/** What sending needs of the application. */
export interface Sender {
  readonly conf: Config
  /** Directory that references are relative to. */
  readonly root: string
  readonly clock: Clock
  readonly codec: Codec
  readonly source: ResultSource
  /** `gen<pid>@<host>` */
  readonly origin: string
  /** One id per process, for replies. */
  readonly replyTo: string
  /** Resolves when the broker has accepted all of them; in eager mode, when `run` has run for each of them. */
  publish(publications: readonly Publication[], run: Runnable | undefined): Promise<void>
}

/** What a call runs where it is made, in eager mode. */
export type Runnable = Task | ((...args: never[]) => unknown)

/** What {@link Submitter.apply} takes besides the options for sending. */
export type ApplyOptions<A extends readonly unknown[]> = SendOptions &
  (
    | { readonly args?: CallArguments<A>; readonly kwargs?: undefined }
    | { readonly args?: Prefixes<A>; readonly kwargs: Readonly<Record<string, unknown>> }
  )

/** Something that can be sent: a function, or a registered task. */
export type Submittable<A extends readonly unknown[], R> = (...args: A) => R

interface Call {
  readonly name: string
  /** Checks keyword arguments; undefined where only the name is known. */
  readonly bind: ((args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>) => unknown) | undefined
  readonly task: Task | undefined
  readonly run: Runnable | undefined
  readonly headers: Readonly<Record<string, unknown>> | undefined
  /** The function with its captured variables as they are now, where it goes along. */
  readonly traveller: Traveller | undefined
  /** Of its ordinary messages, those without options of their own, and what it was made of. */
  form?: { readonly input: MessageFormInput; readonly form: MessageForm }
}

interface Place {
  readonly pool: string
  readonly index: number
}

/** Sends calls of functions with a fixed set of options: `celery` itself has none, `celery.with(options)` some. */
export class Submitter {
  readonly #sender: Sender
  readonly #options: SendOptions
  readonly #calls = new WeakMap<object, Call>()

  constructor(sender: Sender, options: SendOptions = {}) {
    this.#sender = sender
    this.#options = options
  }

  /** The same with more options; those given here win. */
  with(options: SendOptions): Submitter {
    return new Submitter(this.#sender, { ...this.#options, ...checkSendOptions(options, 'with') })
  }

  /**
   * Hands a call to the background. Resolves when the broker has accepted it; the id is known at once.
   *
   * `fn` is any function, or a registered task. One that a module exports is found by its name where it runs; any other goes
   * along, with copies of what it captures as it is at this moment. Arguments are copied too; the last may be `kw({…})`.
   * @throws {@link InvalidTaskError} for what is no function, or keywords that it does not have.
   * @throws {@link UnreachableFunctionError} when the function cannot run elsewhere, naming what in it is at fault.
   * @throws {@link EncodeError} when an argument or a captured value cannot travel, with its path.
   */
  submit<A extends readonly unknown[], R>(fn: Submittable<A, R>, ...args: CallArguments<NoInfer<A>>): Submitted<Awaited<R>> {
    const { args: positional, kwargs } = splitArguments(args)
    return this.#submit<Awaited<R>>(this.#callOf(fn), positional, kwargs, this.#options)
  }

  /** {@link submit} with everything in one object, as Celery's `apply_async`. */
  apply<A extends readonly unknown[], R>(fn: Submittable<A, R>, options: ApplyOptions<NoInfer<A>> = {}): Submitted<Awaited<R>> {
    const { args: given = [], kwargs: keywords = NO_KEYWORDS, ...sendOptions } = checkOptions<ApplyOptions<readonly unknown[]>>(APPLY_KINDS, options as ApplyOptions<readonly unknown[]>, 'apply')
    const { args, kwargs } = joinArguments(given, keywords, 'apply')
    return this.#submit<Awaited<R>>(this.#callOf(fn), args, kwargs, { ...this.#options, ...sendOptions })
  }

  /** Sends a registered task. */
  applyTask<R>(task: Task, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>, options: SendOptions): Submitted<R> {
    return this.#submit<R>(this.#callOf(task), args, kwargs, options === NO_OPTIONS ? this.#options : { ...this.#options, ...options })
  }

  /** Sends a task of which only the name is known here, e.g. one of a Python worker. */
  sendTask<R = unknown>(name: string, args: readonly unknown[] = [], kwargs: Readonly<Record<string, unknown>> = NO_KEYWORDS, options: SendOptions = {}): Submitted<R> {
    if (typeof name !== 'string' || name === '') throw new InvalidTaskError('sendTask takes the name of a task.')
    const joined = joinArguments(args, kwargs, 'sendTask')
    const sendOptions = { ...this.#options, ...checkSendOptions(options, 'sendTask') }
    return this.#submit<R>({ name, bind: undefined, task: undefined, run: undefined, headers: undefined, traveller: undefined }, joined.args, joined.kwargs, sendOptions)
  }

  /**
   * One call for each list of arguments; resolves when the broker has accepted them all.
   *
   * Give the lists one by one, or one iterable or async iterable of them that is not an array, e.g.
   * `lists.values()`; an array of lists alone is refused where it would be taken for one list. A trailing `kw({…})`
   * goes to every call. Accepted in batches of 500: if one is refused, those before it stay accepted and the
   * promise rejects.
   */
  async map<A extends readonly unknown[], R>(fn: Submittable<A, R>, ...all: MapArguments<NoInfer<A>>): Promise<FuturePool<Awaited<R>>> {
    const { args: lists, kwargs } = splitArguments(all)
    const call = this.#callOf(fn)
    refuseListOfLists(lists, call)
    const pool = randomUUID()
    const futures: Future<Awaited<R>>[] = []
    let batch: Publication[] = []
    const prepare = (list: unknown): Publication => {
      if (!Array.isArray(list)) throw new InvalidTaskError(`map takes lists of arguments, e.g. map(fn, [1, 2], [3, 4]); number ${futures.length + 1} is no list.`)
      const own = joinArguments(list, kwargs, 'map')
      const [future, publication] = this.#prepare<Awaited<R>>(call, own.args, own.kwargs, this.#options, { pool, index: futures.length })
      futures.push(future)
      return publication
    }
    const given = argumentLists(lists)
    // What is here is copied now, as with submit, whatever becomes of it while the batches are sent.
    for await (const publication of Array.isArray(given) ? given.map(prepare) : publicationsOf(given, prepare)) {
      if (batch.push(publication) < MAP_BATCH) continue
      await this.#sender.publish(batch, call.run)
      batch = []
    }
    if (batch.length > 0) await this.#sender.publish(batch, call.run)
    return new FuturePool(this.#sender.source, pool, futures)
  }

  #submit<R>(call: Call, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>, options: SendOptions): Submitted<R> {
    const [future, publication] = this.#prepare<R>(call, args, kwargs, options, undefined)
    return new Submitted(future, this.#sender.publish([publication], call.run))
  }

  /** Everything that can be wrong with a call is wrong here, before anything is sent. */
  #prepare<R>(
    call: Call,
    args: readonly unknown[],
    kwargs: Readonly<Record<string, unknown>>,
    options: SendOptions,
    place: Place | undefined,
  ): [Future<R>, Publication] {
    const { clock, codec, conf, origin, replyTo, source } = this.#sender
    const own = call.task?.options
    if (kwargs !== NO_KEYWORDS) checkKeywords(call, args, kwargs)
    const nowMs = clock.now()
    const id = options.taskId ?? newTaskId(nowMs)
    const queue = options.queue ?? own?.queue ?? conf.taskDefaultQueue
    const priority = options.priority ?? own?.priority ?? conf.taskDefaultPriority
    const expires = options.expires ?? own?.expires
    const dueAtMs = dueAt(options, nowMs)
    const ignoreResult = options.ignoreResult ?? own?.ignoreResult ?? conf.taskIgnoreResult
    const parent = currentTask()
    const given = withoutTrailingUndefined(args)
    const keywords = kwargs === NO_KEYWORDS ? undefined : kwargs
    const embed = embedOf(options)
    const serializer = options.serializer ?? own?.serializer ?? conf.taskSerializer
    const encoded =
      call.run === undefined ? codec.encodeNamedCall(given, keywords, embed, serializer) : codec.encodeCall(given, keywords, call.traveller, embed, serializer)
    const compression = options.compression ?? own?.compression ?? conf.taskCompression
    const common: MessageFormInput = {
      task: call.name,
      queue,
      origin,
      replyTo,
      priority,
      shadow: options.shadow ?? own?.shadow,
      ignoreResult,
      headers: call.headers,
    }
    const isOrdinary =
      options === this.#options && options.taskId === undefined && options.headers === undefined && dueAtMs === undefined && expires === undefined &&
      compression === undefined && keywords === undefined && parent === undefined && place === undefined
    const maxSize = conf.taskMessageMaxSize
    const message =
      isOrdinary && call.run !== undefined && encoded.argsText !== undefined
        ? formedMessage(formOf(call, common), id, given, joinBody(encoded.argsText, '{}', embed), maxSize)
        : buildTaskMessage({
            ...common,
            maxSize,
            id,
            args: given,
            kwargs: keywords,
            ...encoded,
            embed,
            compression,
            etaMs: dueAtMs,
            expiresMs: expires === undefined ? undefined : expires instanceof Date ? expires.getTime() : nowMs + toMs(expires, 'expires'),
            nowMs,
            groupId: place?.pool,
            groupIndex: place?.index,
            rootId: parent?.rootId,
            parentId: parent?.id,
            headers: options.headers === undefined ? call.headers : { ...options.headers, ...call.headers },
          })
    codec.seal(message)
    const publication: Publication = dueAtMs === undefined ? { queue, message, priority } : { queue, message, priority, dueAtMs }
    if (parent !== undefined) noteChild(parent, id)
    const future = new Future<R>(source, id, call.name, queue)
    if (ignoreResult) expectNoResult(future)
    return [future, publication]
  }

  #callOf(fn: unknown): Call {
    const cached = typeof fn === 'function' ? this.#calls.get(fn) : undefined
    if (cached !== undefined) return cached
    const call = isTask(fn) ? this.#callOfTask(fn) : this.#callOfFunction(fn)
    // What a function captures is read anew each time.
    if (call.traveller === undefined) this.#calls.set(fn as object, call)
    return call
  }

  #callOfFunction(fn: unknown): Call {
    const { conf, root } = this.#sender
    assertFunction(fn)
    const travel = travelOf(fn, { root, isTask: true, packages: conf.taskPackages })
    const run = fn as () => unknown
    const bind: Call['bind'] = (args, kwargs) => bindArguments(run, args, kwargs)
    // In eager mode it runs as it is: whoever tests it may have put something in the place of what it uses.
    const traveller = conf.taskAlwaysEager ? undefined : { fn, travel }
    if (travel.by !== 'reference') return { name: travelName(fn, travel), bind, task: undefined, run, headers: undefined, traveller }
    return { name: referenceName(travel.reference), bind, task: undefined, run, headers: { [FUNCTION_HEADER]: travel.reference }, traveller: undefined }
  }

  /** A task travels by its name; where its module is known, a worker that has not loaded it yet can. */
  #callOfTask(task: Task): Call {
    const reference: FunctionReference | undefined = findReference(task, this.#sender.root, task.run) ?? findReference(task.run, this.#sender.root)
    const { acksLate } = task.options
    const headers = { ...(reference && { [FUNCTION_HEADER]: reference }), ...(acksLate !== undefined && { [ACKS_LATE_HEADER]: acksLate }) }
    return { name: task.name, bind: (args, kwargs) => bindTaskArguments(task, args, kwargs), task, run: task, headers, traveller: undefined }
  }
}

/** What {@link Submitter.map} takes after the function. */
export type MapArguments<A extends readonly unknown[]> =
  | CallArguments<A>[]
  | [...(CallArguments<A> | Prefixes<A>)[], KeywordArguments]
  | [NonArrayIterable<A>]
  | [NonArrayIterable<A | Prefixes<A>>, KeywordArguments]

type NonArrayIterable<T> = (Iterable<T> & { readonly length?: never }) | AsyncIterable<T>

async function* publicationsOf(lists: Iterable<unknown> | AsyncIterable<unknown>, prepare: (list: unknown) => Publication): AsyncGenerator<Publication> {
  for await (const list of lists) yield prepare(list)
}

function argumentLists(given: readonly unknown[]): readonly unknown[] | Iterable<unknown> | AsyncIterable<unknown> {
  const [only] = given
  const isIterable = given.length === 1 && typeof only === 'object' && only !== null && !Array.isArray(only)
  return isIterable && (Symbol.iterator in only || Symbol.asyncIterator in only) ? (only as Iterable<unknown>) : given
}

function embedOf({ link, linkError }: SendOptions): Embed | undefined {
  if (link === undefined && linkError === undefined) return undefined
  return { callbacks: link === undefined ? null : listOf(link), errbacks: linkError === undefined ? null : listOf(linkError), chain: null, chord: null }
}

function dueAt(options: SendOptions, nowMs: number): number | undefined {
  if (options.countdown !== undefined) {
    // As in Celery, a time that has passed means now.
    const delayMs = typeof options.countdown === 'number' && options.countdown < 0 ? 0 : toMs(options.countdown, 'countdown')
    return delayMs > 0 ? nowMs + delayMs : undefined
  }
  if (options.eta === undefined) return undefined
  return options.eta instanceof Date ? options.eta.getTime() : parseTime(options.eta)
}

/** Makes another one only when the configuration has changed meanwhile. */
function formOf(call: Call, input: MessageFormInput): MessageForm {
  const known = call.form?.input
  const isSame = known !== undefined && known.queue === input.queue && known.priority === input.priority && known.ignoreResult === input.ignoreResult
  if (call.form === undefined || !isSame) call.form = { input, form: MessageForm.build(input) }
  return call.form.form
}

/** @throws {@link EncodeError} for a body of more bytes than `maxSize`. */
function formedMessage(form: MessageForm, id: string, args: readonly unknown[], body: string, maxSize: number): FormedMessage {
  refuseTooLarge(body, String(form.headers['task']), maxSize)
  return form.message(id, argsRepr(args), body)
}

/** The binding's own `TypeError` is what a task fails with; for a caller the mistake has a code. */
function checkKeywords({ bind }: Call, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): void {
  try {
    bind?.(args, kwargs)
  } catch (error) {
    throw error instanceof TypeError ? new InvalidTaskError(error.message) : error
  }
}

/** `map(add, lists)` would be one call, with lists for arguments. */
function refuseListOfLists(given: readonly unknown[], { task, run }: Call): void {
  const [only] = given
  if (run === undefined || given.length !== 1 || !Array.isArray(only) || only.length === 0 || !only.every(Array.isArray)) return
  const { parameters, rest } = parameterNames(task?.run ?? run)
  const count = task?.options.params?.length ?? parameters.length - (task?.options.bind === true ? 1 : 0)
  if (rest || count === 1) return
  const name = run.name || 'fn'
  throw new InvalidTaskError(`map(${name}, lists) was given one array of ${only.length} arrays. For one call each, spread it: map(${name}, ...lists), or give an iterator: map(${name}, lists.values()).`)
}

/** An optional argument that was passed on as undefined is one that was not given. */
function withoutTrailingUndefined(args: readonly unknown[]): readonly unknown[] {
  let length = args.length
  while (length > 0 && args[length - 1] === undefined) length--
  return length === args.length ? args : args.slice(0, length)
}

import { type CallArguments, joinArguments, NO_KEYWORDS, type Prefixes, splitArguments } from './call.ts'
import { flag, type Parts, text, textList } from './config/kinds.ts'
import { type CurrentTask, currentTask } from './current.ts'
import { InvalidTaskError } from './errors.ts'
import { bindArguments } from './functions/parameters.ts'
import type { Submitted } from './result/submitted.ts'
import { checkOptions, checkSendOptions, NO_OPTIONS, SEND_KINDS, type SendOptions } from './send-options.ts'

/** A registered task: call it and it runs here; `delay` it and a worker runs it. */
export interface Task<A extends readonly unknown[] = readonly unknown[], R = unknown> {
  /** Runs the function here and now, without the broker. */
  (...args: A): R
  /** The name it is known by on the wire. */
  readonly name: string
  /** The function as it was given. */
  readonly run: (...args: A) => R
  readonly options: Readonly<TaskOptions>
  /** Sends it with these arguments. Resolves when the broker has accepted it. */
  delay(...args: CallArguments<A>): Submitted<Awaited<R>>
  /** Sends it with options, as Celery's `apply_async`. */
  applyAsync(...given: ApplyAsyncArguments<A>): Submitted<Awaited<R>>
}

/** What {@link Task.applyAsync} takes: all arguments in an array, or the first few and the others by name. */
export type ApplyAsyncArguments<A extends readonly unknown[]> =
  | ([] extends A ? [] : never)
  | [args: CallArguments<A>, kwargs?: Readonly<Record<string, never>> | undefined, options?: SendOptions]
  | [args: Prefixes<A>, kwargs: Readonly<Record<string, unknown>>, options?: SendOptions]

/** What a task may be registered with. */
export interface TaskOptions {
  /** Default: `<module>.<function>`, e.g. `src.tasks.add`. */
  readonly name?: string
  /** Give the function the current task as its first argument. */
  readonly bind?: boolean
  /** Names of the parameters, for keyword arguments, where the source does not tell (minified code). */
  readonly params?: readonly string[]
  readonly queue?: string
  readonly priority?: number
  readonly expires?: SendOptions['expires']
  readonly shadow?: string
  readonly serializer?: SendOptions['serializer']
  readonly compression?: SendOptions['compression']
  readonly ignoreResult?: boolean
  /** Acknowledge after it ran (the default, `taskAcksLate`) or before. */
  readonly acksLate?: boolean
}

/** What a task needs to be sent. */
export interface TaskSender {
  sendTask<R>(task: Task, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>, options: SendOptions): Submitted<R>
  /** The name for a function that was given none. */
  nameFor(fn: (...args: never[]) => unknown): string
}

const TASKS = Symbol.for('celeriac.task')
const { queue, priority, expires, shadow, serializer, compression, ignoreResult } = SEND_KINDS
const TASK_KINDS: Parts<TaskOptions> = { name: text(), bind: flag(), params: textList(), queue, priority, expires, shadow, serializer, compression, ignoreResult, acksLate: flag() }

/** Whether a value is a {@link Task}, also one made by another copy of this package. */
export function isTask(value: unknown): value is Task {
  return typeof value === 'function' && TASKS in value
}

/**
 * Makes a task of a function.
 * @throws {@link InvalidTaskError} for an option that is wrong or unknown, a class, or a function without any name.
 */
export function createTask<A extends readonly unknown[], R>(sender: TaskSender, run: (...args: A) => R, options: TaskOptions): Task<A, R> {
  const checked = checkTaskOptions(run, options)
  const call = options.bind === true ? withSelf(run) : run
  const task = ((...args: A): R => call(...args)) as Task<A, R>
  let name = options.name
  const send = (args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>, sendOptions: SendOptions): Submitted<Awaited<R>> =>
    sender.sendTask<Awaited<R>>(task as unknown as Task, args, kwargs, sendOptions)
  return Object.defineProperties(task, {
    [TASKS]: { value: true },
    name: { get: () => (name ??= sender.nameFor(run as (...args: never[]) => unknown)), configurable: true },
    run: { value: run, enumerable: true },
    options: { value: Object.freeze(checked), enumerable: true },
    delay: {
      value: (...given: unknown[]) => {
        const { args, kwargs } = splitArguments(given)
        return send(args, kwargs, NO_OPTIONS)
      },
    },
    applyAsync: {
      value: (given: readonly unknown[] = [], kwargs: Readonly<Record<string, unknown>> = NO_KEYWORDS, sendOptions: SendOptions = {}) => {
        const where = `${task.name}.applyAsync`
        const joined = joinArguments(given, kwargs, where)
        return send(joined.args, joined.kwargs, checkSendOptions(sendOptions, where))
      },
    },
  })
}

/**
 * The arguments to call a task with, positional and keyword ones put together by parameter name.
 * @throws TypeError for keywords that its function does not have.
 */
export function bindTaskArguments(task: Task, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): unknown[] {
  const { bind, params } = task.options
  if (bind !== true) return bindArguments(task.run, args, kwargs, params)
  // The first parameter is the current task's, which no caller gives.
  return bindArguments(task.run, [undefined, ...args], kwargs, params && ['self', ...params]).slice(1)
}

/** A bound task's function takes the current task first; outside of a task there is none to give. */
function withSelf<A extends readonly unknown[], R>(run: (...args: A) => R): (...args: A) => R {
  const bound = run as unknown as (self: CurrentTask, ...args: A) => R
  return (...args) => {
    const self = currentTask()
    if (self !== undefined) return bound(self, ...args)
    throw new InvalidTaskError(`The bound task ${run.name} was called outside of a task, where there is no current task to give it.`)
  }
}

function checkTaskOptions(run: unknown, options: TaskOptions): TaskOptions {
  if (typeof run !== 'function') throw new InvalidTaskError(`celery.task takes a function, not ${run === null ? 'null' : typeof run}.`)
  if (/^class\b/.test(Function.prototype.toString.call(run))) {
    throw new InvalidTaskError(`${run.name || 'The class'} is a class; celery.task takes a function, e.g. one of its static methods.`)
  }
  const checked = checkOptions(TASK_KINDS, options, 'celery.task')
  if (!run.name && options.name === undefined) {
    throw new InvalidTaskError('celery.task was given a function without a name. Name the function, or the task: celery.task({ name: "…" }, fn).')
  }
  return checked
}

/** Registers tasks, in every spelling, and finds them: `celery.task(fn)`, `celery.task.add`, `celery.task['proj.add']`. */
export interface TaskManager {
  /** `celery.task(fn)`, and as a decorator of a static method: `@celery.task` */
  <A extends readonly unknown[], R>(run: (...args: A) => R, context?: ClassMethodDecoratorContext): Task<A, R>
  /** `celery.task({ bind: true }, (self, x) => …)` */
  <A extends readonly unknown[], R>(options: TaskOptions & { readonly bind: true }, run: (self: CurrentTask, ...args: A) => R): Task<A, R>
  /** `celery.task({ name }, fn)` */
  <A extends readonly unknown[], R>(options: TaskOptions, run: (...args: A) => R): Task<A, R>
  /** `celery.task({ bind: true })((self, x) => …)` */
  (options: TaskOptions & { readonly bind: true }): <A extends readonly unknown[], R>(
    run: (self: CurrentTask, ...args: A) => R,
    context?: ClassMethodDecoratorContext,
  ) => Task<A, R>
  /** `celery.task({ name })(fn)`, and as a decorator of a static method: `@celery.task()` */
  (options?: TaskOptions): <A extends readonly unknown[], R>(run: (...args: A) => R, context?: ClassMethodDecoratorContext) => Task<A, R>
  /** A registered task by full name, or by function name where only one has it. */
  readonly [name: string]: Task
}

/** Where {@link createTaskManager} puts tasks and finds them. */
export interface TaskManagerParts {
  readonly register: (run: (...args: never[]) => unknown, options: TaskOptions) => Task
  readonly find: (name: string) => Task | undefined
  /** Throws `NotRegistered` where {@link find} gives nothing. */
  readonly get: (name: string) => Task
}

/** Makes the callable `celery.task`. */
export function createTaskManager({ register, find, get }: TaskManagerParts): TaskManager {
  const add = (run: unknown, options: TaskOptions, context: unknown): Task => {
    checkDecorated(context)
    return register(run as () => unknown, options)
  }
  const manager = (first?: unknown, second?: unknown): unknown => {
    if (typeof first === 'function') return add(first, {}, second)
    const options = (first ?? {}) as TaskOptions
    return second === undefined ? (run: unknown, context: unknown) => add(run, options, context) : add(second, options, undefined)
  }
  return new Proxy(manager, {
    get: (target, name): unknown => {
      if (typeof name !== 'string') return Reflect.get(target, name)
      // Whoever prints or awaits the object asks for names that are no tasks.
      return find(name) ?? (name in target || ASKED_OF_ANYTHING.has(name) ? Reflect.get(target, name) : get(name))
    },
  }) as unknown as TaskManager
}

const ASKED_OF_ANYTHING: ReadonlySet<string> = new Set(['then', 'toJSON', 'asymmetricMatch', 'nodeType', '$$typeof'])

/** What a decorator gets second: a static method can be found and called by another process, others cannot. */
function checkDecorated(context: unknown): void {
  if (context === undefined) return
  const { kind, static: isStatic, name } = context as Partial<ClassMethodDecoratorContext>
  if (kind !== 'method') throw new InvalidTaskError('celery.task takes its options first: celery.task({ name: "…" }, fn).')
  if (isStatic !== true) throw new InvalidTaskError(`${String(name)} is a method of instances, which do not travel; make it static, or a function.`)
}

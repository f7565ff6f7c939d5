import type { Codec } from '../codec.ts'
import { NotRegistered, SecurityError, UnreachableFunctionError } from '../errors.ts'
import { bindArguments } from '../functions/parameters.ts'
import { isFunctionReference, resolveReference } from '../functions/resolve.ts'
import { isObject } from '../protocol/malformed.ts'
import type { TaskRequest } from '../protocol/task-request.ts'
import { FUNCTION_HEADER, type Runnable } from '../submitter.ts'
import { bindTaskArguments, isTask, type Task } from '../task.ts'

/** What runs a task. */
export interface Handler {
  readonly run: (...args: unknown[]) => unknown
  /** Puts positional and keyword arguments together. @throws TypeError for keywords that it does not have. */
  readonly bind: (args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>) => unknown[]
}

/** Where {@link createHandlers} looks. */
export interface HandlerParts {
  readonly root: string
  readonly codec: Codec
  /** Installed packages whose functions may be run. */
  readonly packages: readonly string[]
  readonly findTask: (name: string) => Task | undefined
}

/**
 * Finds what a message asks for: the task registered under its name, or else the function that its
 * reference leads to. Importing the reference's module may register the task, so that is looked at again.
 *
 * For a message that is not signed nothing is imported: whoever can write to the broker could name any module.
 */
export function createHandlers({ codec, findTask, packages, root }: HandlerParts): (request: TaskRequest, isSigned: boolean) => Handler | Promise<Handler> {
  const known = new Map<string, Handler>()
  /** Messages of one form share their reference, and a form is of one task. */
  const ofReferences = new WeakMap<object, Handler>()

  const find = async (request: TaskRequest): Promise<Handler> => {
    const registered = findTask(request.task)
    if (registered !== undefined) return handlerOf(registered)
    const reference = request.headers[FUNCTION_HEADER]
    if (!isFunctionReference(reference)) throw unknown(request.task, 'It is not registered, and the message names no module to find it in.')
    const value = await resolveReference(reference, root, { packages }).catch((error: unknown) => {
      throw error instanceof UnreachableFunctionError ? unknown(request.task, error.message, error) : error
    })
    const imported = findTask(request.task)
    if (imported !== undefined) return handlerOf(imported)
    if (typeof value !== 'function') throw unknown(request.task, `${reference.m} exports no function ${reference.p.join('.')}.`)
    return handlerOf(value as Runnable)
  }

  const findRegistered = (request: TaskRequest): Handler => {
    const registered = findTask(request.task)
    if (registered !== undefined) return handlerOf(registered)
    if ((request.headers[FUNCTION_HEADER] ?? null) === null) throw unknown(request.task, 'It is not registered, and the message names no module to find it in.')
    const { detail, reason } = codec.unsigned(`It asks for "${request.task}", which is not registered here`)
    throw new SecurityError(detail, reason)
  }

  const findOnce = async (request: TaskRequest, reference: unknown): Promise<Handler> => {
    const key = isFunctionReference(reference) ? `${request.task}\n${reference.m}\n${reference.p.join('\n')}` : request.task
    const handler = known.get(key) ?? (await find(request))
    known.set(key, handler)
    if (isObject(reference)) ofReferences.set(reference, handler)
    return handler
  }

  return (request, isSigned) => {
    if (!isSigned) return findRegistered(request)
    const reference = request.headers[FUNCTION_HEADER]
    return (isObject(reference) ? ofReferences.get(reference) : undefined) ?? findOnce(request, reference)
  }
}

/** Makes a handler of a task or a function. */
export function handlerOf(value: Runnable): Handler {
  const run = value as (...args: unknown[]) => unknown
  return {
    run,
    bind: isTask(value) ? (args, kwargs) => bindTaskArguments(value, args, kwargs) : (args, kwargs) => bindArguments(value, args, kwargs),
  }
}

const REMEDY = 'Register it with celery.task and list its module in "include", or submit the function itself.'

function unknown(name: string, why: string, cause?: unknown): NotRegistered {
  const reason = why.endsWith('.') ? why : `${why}.`
  return new NotRegistered(`Received unregistered task "${name}". ${reason} ${REMEDY}`, name, cause === undefined ? undefined : { cause })
}

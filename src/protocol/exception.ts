import { inspect, types } from 'node:util'
import { CeleriacError, InvalidTaskError, NotRegistered } from '../errors.ts'
import { type DecodedException, JAVASCRIPT_MODULE } from './decoded-exception.ts'
import { parseJson, stringifyJson } from './json.ts'
import { readProperty } from './read-property.ts'

export { type DecodedException, decodeException } from './decoded-exception.ts'
export { errorFromWire, type KnownErrors } from './rebuilt-error.ts'

/** How much of an error is kept. */
export interface ExceptionLimits {
  /** Characters of each of its texts: message, stack, one field. Default 65,536. */
  readonly maxLength?: number | undefined
}

/** An error, ready to be stored. */
export interface EncodedException {
  /** JSON for the `result` of a result meta: `exc_type`, `exc_message`, `exc_module`, and keys of our own that Python ignores. */
  readonly text: string
  /** The stack with those of its causes, or null when there is none. */
  readonly traceback: string | null
  /** Name and message in a line or so, for logs and events. */
  readonly summary: string
}

const DEFAULT_MAX_LENGTH = 65_536
const SUMMARY_LENGTH = 1000
const MOST_FIELDS = 32
const DEEPEST_CAUSE = 5
const MOST_ERRORS = 32

/**
 * Encodes whatever a task threw. Never throws: not for `undefined`, circular objects, getters that throw or
 * megabytes of message, which are cut with a note.
 */
export function encodeException(thrown: unknown, limits: ExceptionLimits = {}): EncodedException {
  try {
    const described = describe(thrown, limits.maxLength ?? DEFAULT_MAX_LENGTH, 0)
    return { text: stringifyJson(described.wire, 'exception'), traceback: described.traceback, summary: described.summary }
  } catch {
    const message = 'The task threw something that cannot be looked at'
    const wire = { exc_type: 'Error', exc_message: [message], exc_module: JAVASCRIPT_MODULE }
    return { text: JSON.stringify(wire), traceback: null, summary: `Error: ${message}` }
  }
}

interface Described {
  readonly wire: Readonly<Record<string, unknown>>
  readonly traceback: string | null
  readonly summary: string
}

function describe(thrown: unknown, maxLength: number, depth: number): Described {
  if (!isError(thrown)) return describeOther(thrown, maxLength)

  const type = typeName(thrown)
  const message = cut(textOf(readProperty(thrown, 'message')), maxLength)
  const frames = framesOf(thrown, maxLength)
  const code = readProperty(thrown, 'code')
  const hasCause = depth < DEEPEST_CAUSE && Object.hasOwn(thrown, 'cause')
  const cause = hasCause ? describe(readProperty(thrown, 'cause'), maxLength, depth + 1) : undefined

  const head = message === '' ? type : `${type}: ${message}`
  const trail = cause && (cause.traceback ?? cause.summary)
  return {
    wire: {
      exc_type: type,
      exc_message: [thrown instanceof NotRegistered ? thrown.taskName : message],
      exc_module: moduleName(thrown, type),
      exc_text: message,
      exc_stack: frames,
      exc_code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
      exc_fields: fieldsOf(thrown, maxLength),
      exc_cause: cause?.wire,
      exc_errors: depth < DEEPEST_CAUSE ? errorsOf(thrown)?.map((error) => describe(error, maxLength, DEEPEST_CAUSE).wire) : undefined,
    },
    traceback: frames === undefined && trail === undefined ? null : [head, frames, trail && `Caused by: ${trail}`].filter(Boolean).join('\n'),
    summary: cut(head, SUMMARY_LENGTH),
  }
}

/** `throw 'text'` and its like. */
function describeOther(thrown: unknown, maxLength: number): Described {
  const shown =
    typeof thrown === 'string'
      ? thrown
      : `The task threw ${inspect(thrown, { depth: 2, maxArrayLength: 20, maxStringLength: 1000, customInspect: false })}, which is not an Error`
  const message = cut(shown, maxLength)
  return {
    wire: { exc_type: 'Error', exc_message: [message], exc_module: JAVASCRIPT_MODULE },
    traceback: null,
    summary: cut(message, SUMMARY_LENGTH),
  }
}

function isError(thrown: unknown): thrown is Error {
  if (types.isNativeError(thrown)) return true
  try {
    return thrown instanceof Error
  } catch {
    return false
  }
}

/** What may be a class name; anything else in `exc_type` would be looked up by Python piece by piece. */
const CLASS_NAME = /^[A-Za-z_$][\w$]{0,99}$/

const BUILTIN_NAMES: ReadonlySet<unknown> = new Set(['AggregateError', 'Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'])

function typeName(error: Error): string {
  const constructor = readProperty(error, 'constructor')
  const className = typeof constructor === 'function' ? readProperty(constructor, 'name') : undefined
  const own = readProperty(error, 'name')
  // A class that does not set `name` inherits the one of its parent. Node's internal class is no name for people.
  const inherited = BUILTIN_NAMES.has(own) && className !== 'NodeError'
  const name = [inherited ? className : own, own, className].find((candidate) => typeof candidate === 'string' && CLASS_NAME.test(candidate))
  return typeof name === 'string' ? name : 'Error'
}

/** Where Celery has the class of the same name, so that Python programs can catch it. */
const CELERY_MODULES: Readonly<Record<string, string>> = {
  AlreadyRegistered: 'celery.exceptions',
  ImproperlyConfigured: 'celery.exceptions',
  InvalidTaskError: 'celery.exceptions',
  MaxRetriesExceededError: 'celery.exceptions',
  NotRegistered: 'celery.exceptions',
  SecurityError: 'celery.exceptions',
  TaskRevokedError: 'celery.exceptions',
  TimeoutError: 'celery.exceptions',
  WorkerLostError: 'billiard.exceptions',
  ContentDisallowed: 'kombu.exceptions',
  DecodeError: 'kombu.exceptions',
  EncodeError: 'kombu.exceptions',
  OperationalError: 'kombu.exceptions',
}

function moduleName(error: Error, type: string): string {
  if (!(error instanceof CeleriacError || error instanceof InvalidTaskError)) return JAVASCRIPT_MODULE
  return (Object.hasOwn(CELERY_MODULES, type) ? CELERY_MODULES[type] : undefined) ?? 'celeriac'
}

/** The stack without its first lines, which repeat a message that may be huge. */
function framesOf(error: Error, maxLength: number): string | undefined {
  const stack = readProperty(error, 'stack')
  if (typeof stack !== 'string') return undefined
  const start = stack.search(/^ {4}at /m)
  return start === -1 ? undefined : cut(stack.slice(start), maxLength)
}

/** What an `AggregateError` holds. */
function errorsOf(error: Error): unknown[] | undefined {
  const errors = error instanceof AggregateError ? readProperty(error, 'errors') : undefined
  return Array.isArray(errors) ? errors.slice(0, MOST_ERRORS) : undefined
}

/** The error's own data, e.g. `statusCode`: what JSON cannot hold is left out. */
function fieldsOf(error: Error, maxLength: number): DecodedException['fields'] | undefined {
  const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  let count = 0
  for (const key of Object.keys(error)) {
    if (count === MOST_FIELDS) break
    if (key === 'name' || key === 'message' || key === 'stack' || key === 'cause' || key === 'code' || key === 'errors') continue
    try {
      const text = stringifyJson((error as unknown as Record<string, unknown>)[key], key)
      if (text.length > maxLength) continue
      fields[key] = parseJson(text)
      count++
    } catch {
      // Data that cannot travel is no part of what the task meant to say.
    }
  }
  return count === 0 ? undefined : fields
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : inspect(value, { depth: 1, customInspect: false })
}

function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  return `${text.slice(0, maxLength)}… (cut, ${text.length.toLocaleString('en')} characters in all)`
}

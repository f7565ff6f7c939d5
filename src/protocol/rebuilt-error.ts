import {
  AlreadyRegistered,
  AppNotFoundError,
  ClosedError,
  ContentDisallowed,
  DecodeError,
  EncodeError,
  ImproperlyConfigured,
  InvalidTaskError,
  MaxRetriesExceededError,
  NoCurrentAppError,
  NotRegistered,
  OperationalError,
  PoolNotFoundError,
  RemoteError,
  SecurityError,
  StartTimeoutError,
  TaskRevokedError,
  TimeoutError,
  UnreachableFunctionError,
  WorkerLostError,
} from '../errors.ts'
import { type DecodedException, JAVASCRIPT_MODULE } from './decoded-exception.ts'

/** Error classes of the application by name. Their constructors are not called. */
export type KnownErrors = ReadonlyMap<string, { readonly prototype: Error }>

/** What else is known when an error is rebuilt. */
export interface RebuildOptions {
  readonly known?: KnownErrors | undefined
  /** The traceback stored beside the error, used when it brings no stack itself. */
  readonly traceback?: string | null | undefined
}

/**
 * Makes an error of a stored one: of the application's own class, of JavaScript's, of ours, or else a {@link RemoteError}.
 *
 * Its `stack` is the remote one, and its `cause` and data are restored.
 */
export function errorFromWire(decoded: DecodedException, options: RebuildOptions = {}): Error {
  const cause = decoded.cause && errorFromWire(decoded.cause, { known: options.known })
  const error = construct(decoded, options.known, cause === undefined ? undefined : { cause })
  restoreFields(error, decoded)
  const stack = decoded.stack ?? options.traceback ?? undefined
  if (stack !== undefined) define(error, 'stack', `${error.name}: ${error.message}\n${stack}`)
  return error
}

function construct(decoded: DecodedException, known: KnownErrors | undefined, options: ErrorOptions | undefined): Error {
  const { excType: type, excModule: module, excMessage: args } = decoded
  const registered = known?.get(type)
  if (registered !== undefined) return ofClass(registered.prototype, decoded, options)

  const builtin = module === JAVASCRIPT_MODULE ? BUILTINS.get(type) : undefined
  if (builtin !== undefined) return new builtin(messageOf(decoded), options)
  if (module === JAVASCRIPT_MODULE && type === 'AggregateError') return new AggregateError((decoded.errors ?? []).map((error) => errorFromWire(error, { known })), messageOf(decoded), options)

  const ours = module !== null && OUR_MODULES.has(module) ? OURS.get(type) : undefined
  if (ours !== undefined) return ours(decoded, options)
  return new RemoteError(type, args, module, options)
}

/** A real error (so that it prints as one) that is an instance of the class. */
function ofClass(prototype: Error, decoded: DecodedException, options: ErrorOptions | undefined): Error {
  const error = new Error(messageOf(decoded), options)
  Object.setPrototypeOf(error, prototype)
  if (error.name !== decoded.excType) define(error, 'name', decoded.excType)
  return error
}

const BUILTINS: ReadonlyMap<string, new (message: string, options?: ErrorOptions) => Error> = new Map([
  ['Error', Error],
  ['EvalError', EvalError],
  ['RangeError', RangeError],
  ['ReferenceError', ReferenceError],
  ['SyntaxError', SyntaxError],
  ['TypeError', TypeError],
  ['URIError', URIError],
])

/** Modules in which the names of {@link OURS} mean what they mean here. */
const OUR_MODULES: ReadonlySet<string> = new Set(['celeriac', 'celery.exceptions', 'billiard.exceptions', 'kombu.exceptions'])

type Rebuild = (decoded: DecodedException, options: ErrorOptions | undefined) => Error

const OURS: ReadonlyMap<string, Rebuild> = new Map<string, Rebuild>([
  ['AlreadyRegistered', (decoded, options) => new AlreadyRegistered(messageOf(decoded), options)],
  ['AppNotFoundError', (decoded, options) => new AppNotFoundError(messageOf(decoded), options)],
  ['ClosedError', (decoded, options) => new ClosedError(messageOf(decoded), options)],
  ['ContentDisallowed', (decoded, options) => new ContentDisallowed(messageOf(decoded), fieldText(decoded, 'contentType'), options)],
  ['DecodeError', (decoded, options) => new DecodeError(messageOf(decoded), options)],
  ['EncodeError', (decoded, options) => new EncodeError(messageOf(decoded), fieldText(decoded, 'path'), options)],
  ['ImproperlyConfigured', (decoded, options) => new ImproperlyConfigured([messageOf(decoded)], options)],
  ['InvalidTaskError', (decoded, options) => new InvalidTaskError(messageOf(decoded), options)],
  ['MaxRetriesExceededError', (decoded, options) => new MaxRetriesExceededError(messageOf(decoded), options)],
  ['NoCurrentAppError', (decoded, options) => new NoCurrentAppError(messageOf(decoded), options)],
  ['NotRegistered', notRegistered],
  ['OperationalError', (decoded, options) => new OperationalError(messageOf(decoded), options)],
  ['PoolNotFoundError', (decoded, options) => new PoolNotFoundError(messageOf(decoded), fieldText(decoded, 'poolId'), options)],
  ['SecurityError', (decoded, options) => new SecurityError(messageOf(decoded), fieldText(decoded, 'reason'), options)],
  ['StartTimeoutError', (decoded, options) => new StartTimeoutError(messageOf(decoded), fieldText(decoded, 'log'), options)],
  ['TaskRevokedError', (decoded, options) => new TaskRevokedError(messageOf(decoded), options)],
  ['TimeoutError', (decoded, options) => new TimeoutError(messageOf(decoded), options)],
  ['UnreachableFunctionError', (decoded, options) => new UnreachableFunctionError(messageOf(decoded), options)],
  ['WorkerLostError', (decoded, options) => new WorkerLostError(messageOf(decoded), options)],
])

/** Celery stores the name alone. */
function notRegistered(decoded: DecodedException, options: ErrorOptions | undefined): Error {
  const name = argumentText(decoded.excMessage[0])
  const unknown = `Task "${name}" is not registered with the worker that received it. Let the worker import the module that defines it.`
  return new NotRegistered(decoded.text ?? unknown, name, options)
}

function messageOf(decoded: DecodedException): string {
  return decoded.text ?? decoded.excMessage.map(argumentText).join(', ')
}

function argumentText(argument: unknown): string {
  return typeof argument === 'string' ? argument : new RemoteError('', [argument], null).message
}

function fieldText(decoded: DecodedException, name: string): string {
  const value = Object.hasOwn(decoded.fields, name) ? decoded.fields[name] : undefined
  return typeof value === 'string' ? value : ''
}

function restoreFields(error: Error, decoded: DecodedException): void {
  for (const [key, value] of Object.entries(decoded.fields)) {
    if (!(key in error)) define(error, key, value, true)
  }
  if (decoded.code !== undefined && !('code' in error)) define(error, 'code', decoded.code, true)
}

function define(error: Error, key: string, value: unknown, enumerable = false): void {
  Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true })
}

// First: what comes after it does not work in an older Node.
import './internal/node-version.ts'

export type { SecurityEvent, ServiceInfo } from './app.ts'
export { type CallArguments, kw, type KeywordArguments } from './call.ts'
export type { Signature, SignatureOptions } from './canvas/signature.ts'
export { Celery } from './celery.ts'
export type { CeleryOptions } from './config/celery-options.ts'
export type { Config } from './config/config.ts'
export type { Duration } from './config/duration.ts'
export { currentApp, currentTask, type CurrentTask, type RetryOptions } from './current.ts'
export {
  AlreadyRegistered,
  AppNotFoundError,
  CeleriacError,
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
  Retry,
  SecurityError,
  StartTimeoutError,
  TaskRevokedError,
  TimeoutError,
  UnreachableFunctionError,
  WorkerLostError,
} from './errors.ts'
export { recordType } from './graph/record-type.ts'
export type { TypeClass, TypeDescription } from './graph/types.ts'
export { Future } from './result/future.ts'
export type { CancelOptions, FutureLike, Progress, RevokeOptions } from './result/future-like.ts'
export { FuturePool } from './result/future-pool.ts'
export { Submitted } from './result/submitted.ts'
export type { WaitOptions } from './result/wait.ts'
export type { SendOptions } from './send-options.ts'
export type { State } from './states.ts'
export type { ApplyOptions, Submitter } from './submitter.ts'
export type { Task, TaskManager, TaskOptions } from './task.ts'

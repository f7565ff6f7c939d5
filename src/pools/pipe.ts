import type { Execution, Outcome } from '../pool.ts'

/**
 * What crosses the pipe between a worker and its pool children: arrays of these, one array per turn of
 * the event loop. Bodies stay encoded; bytes travel as base64 because the pipe carries JSON.
 */
export type ToChild =
  | { readonly t: 'init'; readonly init: ChildInit }
  | { readonly t: 'run'; readonly x: PipedExecution }
  | { readonly t: 'abort'; readonly id: string; readonly why: 'terminated' | 'shutdown' }
  | { readonly t: 'ping' }

export type FromChild =
  | { readonly t: 'ready' }
  | { readonly t: 'failed'; readonly detail: string }
  | { readonly t: 'done'; readonly id: string; readonly o: Outcome }
  | { readonly t: 'state'; readonly id: string; readonly s: string; readonly r: string }
  | { readonly t: 'pong' }

/** Whether one element of what came from a child is a message, in full: a task's own code may write to the pipe too. */
export function isFromChild(value: unknown): value is FromChild {
  if (typeof value !== 'object' || value === null) return false
  const { t, id, o, s, r, detail } = value as Record<string, unknown>
  if (t === 'done') return typeof id === 'string' && isOutcome(o)
  if (t === 'state') return typeof id === 'string' && typeof s === 'string' && typeof r === 'string'
  return t === 'ready' || t === 'pong' || (t === 'failed' && typeof detail === 'string')
}

function isOutcome(value: unknown): value is Outcome {
  if (typeof value !== 'object' || value === null) return false
  const { kind, resultText, exceptionText, detail } = value as Record<string, unknown>
  if (kind === 'succeeded') return typeof resultText === 'string'
  if (kind === 'failed') return typeof exceptionText === 'string'
  return (kind === 'unknown-task' || kind === 'malformed') && typeof detail === 'string'
}

/** What a child needs before its first task. */
export interface ChildInit {
  /** Directory that references are relative to. */
  readonly root: string
  /** `path[:attribute]` of the application to load first, if any. */
  readonly app: string | undefined
  /** The worker's configuration as plain data. */
  readonly conf: Record<string, unknown>
  /** Node name of the worker. */
  readonly hostname: string
}

type PipedExecution = Omit<Execution, 'body'> & { readonly body: string | { readonly base64: string } }

/** Makes an execution fit for JSON. */
export function packExecution(execution: Execution): PipedExecution {
  if (typeof execution.body === 'string') return execution as PipedExecution
  return { ...execution, body: { base64: Buffer.from(execution.body).toString('base64') } }
}

/** Undoes {@link packExecution}. */
export function unpackExecution(piped: PipedExecution): Execution {
  if (typeof piped.body === 'string') return piped as Execution
  return { ...piped, body: Buffer.from(piped.body.base64, 'base64') }
}

import type { Execution, FollowUp, Outcome } from '../pool.ts'
import type { Content } from '../protocol/message.ts'
import { packBody, type PipedBody, type PipedMessage, unpackBody } from './piped-messages.ts'

/**
 * What crosses the pipe between a worker and its pool children: arrays of these, one array per turn of
 * the event loop. Bodies stay encoded; bytes travel as base64 because the pipe carries JSON.
 *
 * - A child begins as many as it has `slots`, in the order they come; what it was given beyond that waits in it.
 * - Before it begins some it says `begun`, which stands for every run up to its `n`, and waits until that is through.
 *   So even of a task that blocks the process at once it is known that it has begun. Of one that finds it `idle` the worker knows that
 *   without being told.
 * - `n` tells the runs of one id apart: one that was let go may still end, after the next has begun.
 * - After a task that was no blink, a child of one slot says `ask` and begins nothing until `go-on`: that is behind every `withdraw`
 *   of what was given up meanwhile.
 * - `withdraw` takes back what waits and leaves alone what runs; `abort` does both.
 */
export type ToChild =
  | { readonly t: 'init'; readonly init: ChildInit; readonly slots: number }
  | { readonly t: 'run'; readonly n: number; readonly idle?: true; readonly x: PipedExecution }
  | { readonly t: 'abort'; readonly id: string; readonly why: 'terminated' | 'shutdown' }
  | { readonly t: 'withdraw'; readonly id: string }
  | { readonly t: 'let-go'; readonly id: string; readonly n: number }
  | { readonly t: 'ping' }
  | { readonly t: 'go-on' }

/** What a pool child says; `leaving` announces that it ends without those that still run being to blame. */
export type FromChild =
  | { readonly t: 'ready' }
  | { readonly t: 'failed'; readonly detail: string }
  | { readonly t: 'begun'; readonly n: number }
  | { readonly t: 'done'; readonly id: string; readonly n: number; readonly o: Outcome }
  | { readonly t: 'state'; readonly id: string; readonly s: string; readonly r: string }
  | { readonly t: 'pong' }
  | { readonly t: 'ask' }
  | { readonly t: 'leaving' }

/** Whether one element of what came from a child is a message, in full: a task's own code may write to the pipe too. */
export function isFromChild(value: unknown): value is FromChild {
  if (typeof value !== 'object' || value === null) return false
  const { t, id, n, o, s, r, detail } = value as Record<string, unknown>
  if (t === 'begun') return typeof n === 'number'
  if (t === 'done') return typeof id === 'string' && typeof n === 'number' && isOutcome(o)
  if (t === 'state') return typeof id === 'string' && typeof s === 'string' && typeof r === 'string'
  return t === 'ready' || t === 'pong' || t === 'ask' || t === 'leaving' || (t === 'failed' && typeof detail === 'string')
}

function isOutcome(value: unknown): value is Outcome {
  if (typeof value !== 'object' || value === null) return false
  const { kind, resultText, exceptionText, etaMs, content, followUps = [], reason, detail } = value as Record<string, unknown>
  if (!Array.isArray(followUps) || !followUps.every((one) => typeof readField(one, 'queue') === 'string' && hasBody(readField(one, 'message')))) return false
  if (kind === 'succeeded') return resultText === undefined || typeof resultText === 'string'
  if (kind === 'failed') return typeof exceptionText === 'string'
  if (kind === 'retry') return typeof etaMs === 'number' && (content === undefined || hasBody(content))
  if (kind === 'terminated') return true
  if (kind === 'refused') return typeof reason === 'string' && typeof detail === 'string'
  return (kind === 'unknown-task' || kind === 'malformed') && typeof detail === 'string'
}

/** Whether it is a body that {@link packOutcome} has packed. */
function hasBody(value: unknown): boolean {
  const body = readField(value, 'body')
  return typeof body === 'string' || typeof readField(body, 'base64') === 'string'
}

function readField(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
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

/** An {@link Execution}, its message packed. */
export type PipedExecution = Omit<Execution, 'message'> & { readonly message: PipedMessage }

/** Makes an outcome fit for JSON. */
export function packOutcome(outcome: Outcome): Outcome {
  return mapBodies(outcome, packBody)
}

/** Undoes {@link packOutcome}. */
export function unpackOutcome(piped: Outcome): Outcome {
  return mapBodies(piped, (body) => unpackBody(body as PipedBody))
}

/** Most outcomes carry no bodies, and stay as they are. */
function mapBodies(outcome: Outcome, change: (body: Content['body']) => unknown): Outcome {
  let changed = outcome
  if ('followUps' in changed) changed = { ...changed, followUps: changed.followUps.map((one) => ({ ...one, message: withBody(one.message, change) }) as FollowUp) }
  if (changed.kind === 'retry' && changed.content !== undefined) changed = { ...changed, content: withBody(changed.content, change) }
  return changed
}

function withBody<T extends Content>(content: T, change: (body: Content['body']) => unknown): T {
  return { ...content, body: change(content.body) } as T
}

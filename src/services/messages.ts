import type { WorkerPlan } from './plan.ts'

/** The first message to a worker process: all it needs, secrets included, so that none is in its arguments. */
export interface StartMessage {
  readonly kind: 'start'
  readonly plan: WorkerPlan
  readonly conf: Record<string, unknown>
  readonly root: string
  readonly app: string | undefined
}

/** Asks a worker process to end, giving its tasks `graceMs`. */
export interface StopMessage {
  readonly kind: 'stop'
  readonly graceMs: number
}

/** What a worker process says once: it is consuming, or why it cannot. */
export type WorkerReport = { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly detail: string }

/** Reads what came over the channel. Loaders and watchers use it too, so anything may come. */
export function parseReport(message: unknown): WorkerReport | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const { kind, detail } = message as Record<string, unknown>
  if (kind === 'ready') return { kind }
  if (kind === 'failed') return { kind, detail: String(detail) }
  return undefined
}

/** Reads what a worker process gets from its parent. */
export function parseOrder(message: unknown): StartMessage | StopMessage | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const { kind } = message as Record<string, unknown>
  return kind === 'start' || kind === 'stop' ? (message as StartMessage | StopMessage) : undefined
}

import { StartTimeoutError } from '../errors.ts'
import type { WorkerPlan } from './plan.ts'
import type { WorkerExit } from './worker-process.ts'

/** What stood in the way when the workers were not ready in time. */
export interface Obstacle {
  /** The workers that were not consuming. */
  readonly pending: readonly WorkerPlan[]
  /** Why the broker could not be asked. */
  readonly fault: Error | undefined
  /** Another process runs the workers, and these are they. */
  readonly others: readonly string[] | undefined
  /** What the first pending worker has written. */
  readonly log: string
}

/** The error for workers that took too long. */
export function startTimedOut(timeoutMs: number, obstacle: Obstacle): StartTimeoutError {
  const { pending, fault, log } = obstacle
  const names = pending.map(({ nodeName }) => `"${nodeName}"`).join(', ')
  const waited = `The local workers were not ready after ${timeoutMs / 1000} s (not consuming: ${names}).`
  return new StartTimeoutError(`${waited} ${explain(obstacle)}`, log, fault === undefined ? undefined : { cause: fault })
}

/** The error for a worker that ended before it was ready. */
export function startFailed(plan: WorkerPlan, exit: WorkerExit): StartTimeoutError {
  return new StartTimeoutError(`Worker "${plan.nodeName}" ${exit.detail}, before it was ready. ${quoteLog(plan, exit.log)}`, exit.log)
}

function explain({ pending, fault, others, log }: Obstacle): string {
  if (fault !== undefined) return `The broker cannot be used: ${fault.message}`
  const [first] = pending
  if (others === undefined) return first === undefined ? '' : quoteLog(first, log)
  if (others.length === 0) return 'Another process is to run them; if it does not, end it.'
  return (
    `Another process runs the workers of this broker: ${others.map((name) => `"${name}"`).join(', ')}. ` +
    'Give each application a broker of its own ("brokerUrl"), or the same "workers".'
  )
}

function quoteLog(plan: WorkerPlan, log: string): string {
  return log === '' ? `It wrote nothing to ${plan.logFile}` : `Its log ${plan.logFile} ends with:\n${log}`
}

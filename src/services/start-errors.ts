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

/** What of a log an error message repeats; `StartTimeoutError.log` has all of its end. */
const MOST_LINES = 10
const LONGEST_LINE = 300

/** The error for workers that took too long. */
export function startTimedOut(timeoutMs: number, obstacle: Obstacle): StartTimeoutError {
  const { pending, fault, log } = obstacle
  const names = pending.map(({ nodeName }) => `"${nodeName}"`).join(', ')
  const waited = `The local workers were not ready after ${timeoutMs / 1000} s (not consuming: ${names}).`
  return new StartTimeoutError(`${waited} ${explain(obstacle)}`, log, fault === undefined ? undefined : { cause: fault })
}

/** The error for a worker that ended before it was ready. */
export function startFailed(plan: WorkerPlan, exit: WorkerExit): StartTimeoutError {
  return new StartTimeoutError(`Worker "${plan.nodeName}" ${exit.detail.replace(/\.$/, '')}, before it was ready. ${quoteLog(plan, exit.log)}`, exit.log)
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
  return log === '' ? `It wrote nothing to ${plan.logFile}` : `Its log ${plan.logFile} ends with:\n${excerpt(log)}`
}

/** The last lines that say something: no frames of stacks, and of structured entries what they say. */
function excerpt(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v\d/.test(line))
  return lines.slice(-MOST_LINES).map((line) => shorten(entryText(line) ?? line)).join('\n')
}

function entryText(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const { msg, err } = JSON.parse(line) as { msg?: unknown; err?: { message?: unknown } }
    if (typeof msg !== 'string') return undefined
    return typeof err?.message === 'string' ? `${msg}: ${err.message}` : msg
  } catch {
    return undefined
  }
}

function shorten(line: string): string {
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line
}

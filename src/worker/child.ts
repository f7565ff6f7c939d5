/** What a pool process runs: it takes tasks from the worker's pipe and gives outcomes back. */
import { ClosedError, TaskRevokedError } from '../errors.ts'
import { Batcher } from '../internal/batcher.ts'
import { Stopper } from '../internal/stopper.ts'
import { type ChildInit, type FromChild, type ToChild, unpackExecution } from '../pools/pipe.ts'
import { createTaskRunner, type TaskRunner } from './runtime.ts'

const outbox = new Batcher<FromChild>((batch) => {
  latestState.clear()
  if (process.connected) process.send?.(batch)
})

/** Where a task's latest unsent state waits, so that a burst of them crosses as one. */
const latestState = new Map<string, { t: 'state'; id: string; s: string; r: string }>()

const running = new Map<string, Stopper>()
let runner: TaskRunner | undefined

function receive(message: ToChild): void {
  if (message.t === 'init') void begin(message.init)
  else if (message.t === 'run') void run(unpackExecution(message.x))
  else if (message.t === 'abort') running.get(message.id)?.stop(stopReason(message.why))
  else if (message.t === 'ping') outbox.add({ t: 'pong' })
}

async function begin(init: ChildInit): Promise<void> {
  try {
    runner = await createTaskRunner(init, reportState)
    outbox.add({ t: 'ready' })
  } catch (error) {
    outbox.add({ t: 'failed', detail: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

async function run(execution: ReturnType<typeof unpackExecution>): Promise<void> {
  const stopper = new Stopper()
  running.set(execution.id, stopper)
  const outcome = await (runner as TaskRunner)(execution, stopper)
  running.delete(execution.id)
  latestState.delete(execution.id)
  outbox.add({ t: 'done', id: execution.id, o: outcome })
}

function reportState(id: string, state: string, resultText: string): void {
  const waiting = latestState.get(id)
  if (waiting !== undefined) {
    waiting.s = state
    waiting.r = resultText
    return
  }
  const message = { t: 'state' as const, id, s: state, r: resultText }
  latestState.set(id, message)
  outbox.add(message)
}

function stopReason(why: 'terminated' | 'shutdown'): Error {
  return why === 'terminated' ? new TaskRevokedError('terminated') : new ClosedError('The worker is stopping; the task will be run again.')
}

process.on('message', (batch) => (batch as ToChild[]).forEach(receive))
// The worker has gone, however it went: nobody is left to take an outcome.
process.on('disconnect', () => process.exit(0))
// Signals of a terminal or a service manager reach the whole group; the worker decides what they mean.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
// One task's stray rejection must not take its neighbours with it.
process.on('unhandledRejection', (reason) => {
  process.stderr.write(`Unhandled rejection in a task: ${reason instanceof Error ? reason.stack : String(reason)}\n`)
})

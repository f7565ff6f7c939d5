/** What a pool process runs: it takes tasks from the worker's pipe and gives outcomes back. */
import { currentTask } from '../current.ts'
import { ClosedError, TaskRevokedError } from '../errors.ts'
import { Batcher } from '../internal/batcher.ts'
import { watchParentFromThread } from '../internal/parent-watch.ts'
import { Stopper } from '../internal/stopper.ts'
import { type ChildInit, type FromChild, type ToChild, unpackExecution } from '../pools/pipe.ts'
import { failed } from './execute.ts'
import { createTaskRunner, type TaskRunner } from './runtime.ts'

/** An orphan that a task keeps from seeing that its worker has gone is ended after this. */
const ORPHAN_DEADLINE_MS = 1_000

interface Run {
  readonly n: number
  readonly stopper: Stopper
}

const outbox = new Batcher<FromChild>((batch) => {
  latestState.clear()
  if (process.connected) process.send?.(batch)
})

/** Where a task's latest unsent state waits, so that a burst of them crosses as one. */
const latestState = new Map<string, { t: 'state'; id: string; s: string; r: string }>()

const running = new Map<string, Run>()
let runner: TaskRunner | undefined
let errorMaxLength: number | undefined

function receive(message: ToChild): void {
  if (message.t === 'init') void begin(message.init)
  else if (message.t === 'run') void run(message.n, unpackExecution(message.x))
  else if (message.t === 'abort') running.get(message.id)?.stopper.stop(stopReason(message.why))
  else if (message.t === 'ping') outbox.add({ t: 'pong' })
}

async function begin(init: ChildInit): Promise<void> {
  try {
    errorMaxLength = init.conf['taskErrorMaxLength'] as number | undefined
    runner = await createTaskRunner(init, reportState)
    outbox.add({ t: 'ready' })
    // Once that is sent: no start waits for a thread.
    if (init.watchesParent) setImmediate(() => watchParentFromThread(ORPHAN_DEADLINE_MS))
  } catch (error) {
    outbox.add({ t: 'failed', detail: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

async function run(n: number, execution: ReturnType<typeof unpackExecution>): Promise<void> {
  const { id } = execution
  const own = { n, stopper: new Stopper() }
  running.set(id, own)
  const outcome = await (runner as TaskRunner)(execution, own.stopper)
  // One that was let go ends late, when its id may run again.
  if (running.get(id) !== own) return
  running.delete(id)
  latestState.delete(id)
  outbox.add({ t: 'done', id, n, o: outcome })
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

/** Nothing is sure any more after it, so this process ends; the task that threw fails with it, its neighbours run again. */
function onUncaught(error: unknown): void {
  const task = currentTask()
  const thrower = task === undefined ? undefined : running.get(task.id)
  process.stderr.write(`Uncaught exception${task === undefined ? '' : ` in task ${task.name}[${task.id}]`}: ${error instanceof Error ? error.stack : String(error)}\n`)
  if (task === undefined || !process.connected) process.exit(1)
  outbox.add({ t: 'leaving' })
  if (thrower !== undefined) {
    running.delete(task.id)
    outbox.add({ t: 'done', id: task.id, n: thrower.n, o: failed(error, errorMaxLength) })
  }
  // The outbox goes first; once this is through, so is that.
  setImmediate(() => process.send?.([], () => process.exit(1)))
}

process.on('message', (batch) => (batch as ToChild[]).forEach(receive))
// The worker has gone, however it went: nobody is left to take an outcome.
process.on('disconnect', () => process.exit(0))
// Signals of a terminal or a service manager reach the whole group; the worker decides what they mean.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('uncaughtException', onUncaught)
// One task's stray rejection must not take its neighbours with it.
process.on('unhandledRejection', (reason) => {
  process.stderr.write(`Unhandled rejection in a task: ${reason instanceof Error ? reason.stack : String(reason)}\n`)
})

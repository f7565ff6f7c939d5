/** What a pool process runs: it takes tasks from the worker's pipe and gives outcomes back. */
import { currentTask } from '../current.ts'
import { ClosedError, TaskRevokedError } from '../errors.ts'
import { Batcher } from '../internal/batcher.ts'
import { watchParentFromThread } from '../internal/parent-watch.ts'
import { Stopper } from '../internal/stopper.ts'
import type { Execution } from '../pool.ts'
import { type ChildInit, type FromChild, packOutcome, type ToChild } from '../pools/pipe.ts'
import { MessageUnpacker } from '../pools/piped-messages.ts'
import { failed } from './execute.ts'
import { createTaskRunner, type TaskRunner } from './runtime.ts'

/** An orphan that a task keeps from seeing that its worker has gone is ended after this. */
const ORPHAN_DEADLINE_MS = 1_000

/** After so long without a look at the pipe it is read before the next task begins. */
const LONGEST_TURN_MS = 5

interface Run {
  readonly n: number
  readonly stopper: Stopper
}

const outbox = new Batcher<FromChild>((batch) => {
  latestState.clear()
  if (!process.connected) return
  unsent += 1
  process.send?.(batch, () => {
    unsent -= 1
    if (unsent === 0) for (const resolve of whenThrough.splice(0)) resolve()
  })
})

/** How many batches the pipe has not taken whole: a task that blocks would keep back the rest. */
let unsent = 0
const whenThrough: (() => void)[] = []

/** Resolves when everything that was said is through. */
function through(): Promise<void> | undefined {
  return unsent === 0 ? undefined : new Promise((resolve) => whenThrough.push(resolve))
}

/** Where a task's latest unsent state waits, so that a burst of them crosses as one. */
const latestState = new Map<string, { t: 'state'; id: string; s: string; r: string }>()

const unpacker = new MessageUnpacker()
const running = new Map<string, Run>()
/** What has no slot yet. */
const queue: { readonly n: number; readonly idle: boolean; readonly execution: Execution }[] = []
let slots = 1
let lastReadMs = 0
let isFilling = false
/** Whether the worker has yet to answer: see the pipe. */
let isAsking = false
let runner: TaskRunner | undefined
let errorMaxLength: number | undefined

function receive(message: ToChild): void {
  if (message.t === 'init') void begin(message.init, message.slots)
  else if (message.t === 'run') queue.push({ n: message.n, idle: message.idle === true, execution: { ...message.x, message: unpacker.unpack(message.x.id, message.x.message) } })
  else if (message.t === 'abort') abort(message.id, message.why)
  else if (message.t === 'withdraw') withdraw(message.id)
  else if (message.t === 'let-go') letGo(message.id, message.n)
  else if (message.t === 'ping') outbox.add({ t: 'pong' })
  else if (message.t === 'go-on') isAsking = false
}

async function begin(init: ChildInit, slotCount: number): Promise<void> {
  try {
    slots = slotCount
    errorMaxLength = init.conf['taskErrorMaxLength'] as number | undefined
    runner = await createTaskRunner(init, reportState)
    outbox.add({ t: 'ready' })
    // Once that is sent: no start waits for a thread.
    setImmediate(() => watchParentFromThread(ORPHAN_DEADLINE_MS))
  } catch (error) {
    outbox.add({ t: 'failed', detail: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

function abort(id: string, why: 'terminated' | 'shutdown'): void {
  if (!withdraw(id)) running.get(id)?.stopper.stop(stopReason(why))
}

function withdraw(id: string): boolean {
  const index = queue.findIndex(({ execution }) => execution.id === id)
  if (index < 0) return false
  for (const { n } of queue.splice(index, 1)) outbox.add({ t: 'done', id, n, o: { kind: 'terminated' } })
  return true
}

/** A task that ignores its signal: the worker no longer counts it, so its slot is free. */
function letGo(id: string, n: number): void {
  if (running.get(id)?.n === n) running.delete(id)
}

/** Begins what there are slots for. All that was said before is sent first: the next task may block, or end, the process. */
function fill(): void {
  const next = queue.splice(0, Math.max(0, slots - running.size))
  const last = next.at(-1)
  if (last === undefined) return
  if (!last.idle) outbox.add({ t: 'begun', n: last.n })
  outbox.flush()
  for (const { execution, n } of next) void run(n, execution)
}

/** Fills the slots at the end of this turn, so that outcomes go out together; after a long one the pipe is read before. */
function fillSoon(): void {
  if (queue.length === 0 || isFilling || isAsking) return
  isFilling = true
  setImmediate(() => {
    const isLong = performance.now() - lastReadMs > LONGEST_TURN_MS
    if (isLong) setImmediate(fillWhenDue)
    else fillWhenDue()
  })
}

/** Something else may have filled the slots meanwhile, and may have asked since. */
function fillWhenDue(): void {
  if (isFilling) fillNow()
}

function fillNow(): void {
  isFilling = false
  lastReadMs = performance.now()
  fill()
}

async function run(n: number, execution: Execution): Promise<void> {
  const { id } = execution
  const own = { n, stopper: new Stopper() }
  running.set(id, own)
  await through()
  if (slots === 0 || running.get(id) !== own) return
  const outcome = await (runner as TaskRunner)(execution, own.stopper)
  // One that was let go ends late, when its id may run again.
  if (running.get(id) !== own) return
  running.delete(id)
  latestState.delete(id)
  if (slots === 1 && performance.now() - lastReadMs > LONGEST_TURN_MS) ask()
  // Before it is added: then what begins next goes out with it.
  fillSoon()
  outbox.add({ t: 'done', id, n, o: packOutcome(outcome) })
  if (running.size === 0 && queue.length === 0) outbox.flush()
}

function ask(): void {
  isAsking = true
  isFilling = false
  outbox.add({ t: 'ask' })
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
  // Begins nothing any more.
  slots = 0
  if (task === undefined || !process.connected) process.exit(1)
  outbox.add({ t: 'leaving' })
  if (thrower !== undefined) {
    running.delete(task.id)
    outbox.add({ t: 'done', id: task.id, n: thrower.n, o: failed(error, errorMaxLength) })
  }
  // The outbox goes first; once this is through, so is that.
  setImmediate(() => process.send?.([], () => process.exit(1)))
}

process.on('message', (batch) => {
  lastReadMs = performance.now()
  for (const message of batch as ToChild[]) receive(message)
  if (running.size === 0 && !isAsking) fillNow()
  else fillSoon()
})
// The worker has gone, however it went: nobody is left to take an outcome.
process.on('disconnect', () => process.exit(0))
// Signals of a terminal or a service manager reach the whole group; the worker decides what they mean.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
// A task may end the process; those that had ended before have ended, as far as the pipe takes it at once.
process.on('exit', () => outbox.flush())
process.on('uncaughtException', onUncaught)
// Whoever reads what tasks print may go, and the disk may be full; the task that prints is not to blame.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
// One task's stray rejection must not take its neighbours with it.
process.on('unhandledRejection', (reason) => {
  process.stderr.write(`Unhandled rejection in a task: ${reason instanceof Error ? reason.stack : String(reason)}\n`)
})

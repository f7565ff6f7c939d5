import type { ResultBackend } from './backend.ts'
import type { Broker } from './broker.ts'
import { decodeException, errorFromWire } from './protocol/exception.ts'
import { decodeResultMeta } from './protocol/result.ts'

/** What is looked at to say why a task has no result yet. */
export interface WaitingContext {
  readonly broker: Broker
  readonly backend: ResultBackend
  /** Why the local workers could not be started last time. */
  readonly startFault: Error | undefined
  /** Local workers were wanted, and then stopped by `stop()`. */
  readonly wasStopped: boolean
  /** Log files of the local workers. */
  readonly logs: readonly string[]
}

/** How many of the newest dead letters are looked through for one task. */
const DEAD_LETTERS = 200

/**
 * Why a task has no result yet, as far as can be seen from here, and what to do: the end of a sentence.
 *
 * `queue` is undefined for a task of which only the id is known.
 */
export async function waitingReason(id: string, queue: string | undefined, context: WaitingContext): Promise<string> {
  return (await whatIsStored(id, queue, context)) ?? (await whatBecameOfTheMessage(id, context)) ?? (await whoConsumes(queue, context))
}

async function whatIsStored(id: string, queue: string | undefined, { backend, logs }: WaitingContext): Promise<string | undefined> {
  const record = await backend.get(id)
  if (record === undefined) {
    return queue === undefined ? 'nothing is stored of that id; it may be wrong, its result may have expired, or the task has yet to begin.' : undefined
  }
  if (record.status === 'RETRY') {
    const { result } = decodeResultMeta(record.text)
    return `it is tried again after this: ${errorFromWire(decodeException(result)).message}`
  }
  return record.status === 'STARTED' ? `it is running; what it prints is in ${logs.join(' and ') || "its worker's log"}.` : undefined
}

async function whatBecameOfTheMessage(id: string, { broker }: WaitingContext): Promise<string | undefined> {
  const letters = await broker.deadLetters({ limit: DEAD_LETTERS })
  const letter = letters.find(({ message }) => message?.headers['id'] === id)
  return letter && `its message is in the dead-letter queue: ${letter.detail}`
}

async function whoConsumes(queue: string | undefined, context: WaitingContext): Promise<string> {
  if (queue === undefined) return 'its worker has not stored a result.'
  const consumers = await context.broker.consumers()
  const consuming = consumers.filter(({ queues }) => queues.includes(queue)).map(({ name }) => name)
  if (consuming.length === 0) return `nothing consumes the queue "${queue}"${unless(context)}; ${remedy(queue, context)}`
  const { ready, parked, unacked } = await context.broker.depth(queue)
  const counts = `${messages(ready)} waiting to be taken, ${messages(unacked)} with workers, ${messages(parked)} put off until a later time`
  return `the queue "${queue}" is consumed by ${consuming.join(', ')} and has ${counts}.`
}

/** Workers of other software do not say that they consume. */
function unless({ broker }: WaitingContext): string {
  return broker.supports.foreignWorkers ? ", unless workers of Python's do" : ''
}

function remedy(queue: string, { startFault, wasStopped }: WaitingContext): string {
  if (startFault !== undefined) return `the local workers could not be started: ${startFault.message}`
  if (wasStopped) return 'the local workers were stopped; start them again with celery.start().'
  return `start a worker for it: celeriac worker -Q ${queue}`
}

function messages(count: number): string {
  return `${count} message${count === 1 ? '' : 's'}`
}

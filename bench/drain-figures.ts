import { signalAll } from './process-tree.ts'
import { type Figures, submitMany, timed, until } from './side.ts'

/** What a drain needs of a side. */
export interface Drained {
  /** Enqueues one task. */
  submit(i: number): Promise<unknown>
  /** Whether nothing waits and nothing is out. */
  isDrained(): boolean | Promise<boolean>
  /** Processes of the worker, running. */
  readonly workerPids: readonly number[]
}

/**
 * Times a warm worker over a full queue: it runs some tasks, is stopped by a signal while the queue is filled,
 * and is timed from the moment it is let go until nothing waits and nothing is out.
 *
 * The signal holds every kind of worker in the same way, from outside and without its knowledge.
 */
export async function drainFigures(tasks: number, { submit, isDrained, workerPids }: Drained): Promise<Figures> {
  await submitMany(tasks / 10, 2_000, submit)
  await until('the end of the warm-up', isDrained)

  signalAll(workerPids, 'SIGSTOP')
  const fillMs = await timed(() => submitMany(tasks, 2_000, submit)).catch((error: unknown) => {
    // A stopped process cannot follow its parent's end.
    signalAll(workerPids, 'SIGCONT')
    throw error
  })
  const drainMs = await timed(() => {
    signalAll(workerPids, 'SIGCONT')
    return until(`the end of ${tasks} tasks`, isDrained)
  })
  return { perSecond: (tasks / drainMs) * 1000, drainMs, fillMs }
}

import { signalAll } from './process-tree.ts'
import { type Figures, timed, until } from './side.ts'

/** What a drain needs of a side. */
export interface Drained {
  /** Enqueues that many tasks. */
  fill(count: number): Promise<unknown>
  /** Whether nothing waits and nothing is out. */
  isDrained(): boolean | Promise<boolean>
  /** The worker's processes; asked when it has run tasks. */
  workerPids(): readonly number[]
}

/**
 * Times a warm worker over a full queue: it runs some tasks, is stopped by a signal while the queue is filled,
 * and is timed from the moment it is let go until nothing waits and nothing is out.
 *
 * The signal holds every kind of worker in the same way, from outside and without its knowledge.
 */
export async function drainFigures(tasks: number, { fill, isDrained, workerPids }: Drained): Promise<Figures> {
  await fill(tasks / 10)
  await until('the end of the warm-up', isDrained)

  const pids = workerPids()
  signalAll(pids, 'SIGSTOP')
  const fillMs = await timed(() => fill(tasks)).catch((error: unknown) => {
    // A stopped process cannot follow its parent's end.
    signalAll(pids, 'SIGCONT')
    throw error
  })
  const drainMs = await timed(() => {
    signalAll(pids, 'SIGCONT')
    return until(`the end of ${tasks} tasks`, isDrained)
  })
  return { perSecond: (tasks / drainMs) * 1000, drainMs, fillMs }
}

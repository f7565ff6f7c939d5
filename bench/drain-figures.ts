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
  /** A second time would take long, and find the same. */
  readonly isOnce?: boolean
}

/**
 * Times a worker over a full queue: it runs some tasks, is stopped by a signal while the queue is filled,
 * and is timed from the moment it is let go until nothing waits and nothing is out; then once more, as by then its code is compiled.
 *
 * The signal holds every kind of worker in the same way, from outside and without its knowledge.
 */
export async function drainFigures(tasks: number, drained: Drained): Promise<Figures> {
  await drained.fill(tasks / 10)
  await until('the end of the warm-up', drained.isDrained)
  const { perSecond, drainMs, fillMs } = await drain(tasks, drained)
  if (drained.isOnce === true) return { perSecond, drainMs, fillMs }
  const { perSecond: perSecondWarm } = await drain(tasks, drained)
  return { perSecond, perSecondWarm, drainMs, fillMs }
}

async function drain(tasks: number, { fill, isDrained, workerPids }: Drained): Promise<Record<'perSecond' | 'drainMs' | 'fillMs', number>> {
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

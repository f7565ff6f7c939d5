import type { Broker, Publication } from './broker.ts'

/**
 * Hands tasks to a broker, as {@link Broker.publish}.
 *
 * Where workers of other software take messages too, one with an `eta` is not parked yet: they would never see it. It waits in its
 * queue, and whichever worker gets it early keeps it in its own way; ours parks it then.
 */
export function publishTasks(broker: Broker, publications: readonly Publication[]): Promise<void> {
  const stay = broker.supports.foreignWorkers && publications.some(({ dueAtMs }) => dueAtMs !== undefined)
  return broker.publish(stay ? publications.map(({ dueAtMs: _, ...publication }) => publication) : publications)
}

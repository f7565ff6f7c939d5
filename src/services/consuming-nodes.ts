import { hostname } from 'node:os'

import type { Broker } from '../broker.ts'
import { isGone } from '../internal/process-identity.ts'

/** The workers that consume from this broker, by node name, with their queues; without those whose process has died on this machine. */
export async function consumingNodes(broker: Broker): Promise<Map<string, ReadonlySet<string>>> {
  await broker.connect()
  const consumers = await broker.consumers()
  const here = hostname()
  const alive = consumers.filter(({ host, pid }) => host !== here || !isGone(pid, null))
  return new Map(alive.map(({ name, queues }) => [name, new Set(queues)]))
}

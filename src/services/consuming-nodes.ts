import { hostname } from 'node:os'

import type { Broker } from '../broker.ts'
import { isGone } from '../internal/process-identity.ts'

/** Node names of the workers that consume from this broker, without those whose process has died on this machine. */
export async function consumingNodes(broker: Broker): Promise<Set<string>> {
  await broker.connect()
  const consumers = await broker.consumers()
  const here = hostname()
  return new Set(consumers.filter(({ host, pid }) => host !== here || !isGone(pid, null)).map(({ name }) => name))
}

import { isLost, type ProcessIdentity } from './process-identity.ts'

/** Ids of the consumers of this process: they are alive whatever the clock says, since this code runs. */
export const running: Set<string> = new Set()

/** Whether a registered consumer is dead: its process is gone from this machine, or its lease, if that is to be trusted, ran out. */
export function isDead(id: string, owner: Omit<ProcessIdentity, 'host'>, hasExpired: boolean): boolean {
  return !running.has(id) && (isLost(owner) || hasExpired)
}

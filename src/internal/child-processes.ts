import { isGone, startTimeOf } from './process-identity.ts'

/** A process with its start time, so that it is never confused with a later one of the same pid. */
export type Child = readonly [pid: number, started: string | null]

/** How long a killed child may take to be gone, and how often that is looked at. */
const KILL_TIMEOUT_MS = 2000
const KILL_LOOK_MS = 5

/** Names processes so that they can be recognised later. */
export function identifyChildren(pids: readonly number[]): Child[] {
  return pids.map((pid) => [pid, startTimeOf(pid)] as const)
}

/** Kills processes of this machine and waits until they are gone; false when one of them does not go. */
export async function endChildren(children: readonly Child[]): Promise<boolean> {
  // Without a start time the pid may be anybody's by now.
  const alive = children.filter(([pid, started]) => started !== null && !isGone(pid, started) && kill(pid))
  const deadlineMs = performance.now() + KILL_TIMEOUT_MS
  while (alive.some(([pid, started]) => !isGone(pid, started))) {
    if (performance.now() > deadlineMs) return false
    await new Promise((resolve) => setTimeout(resolve, KILL_LOOK_MS))
  }
  return true
}

/** False when the process is not ours to end. */
function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}

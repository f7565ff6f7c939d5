import { FINAL_STATES, READY_STATES, type State } from '../states.ts'

/**
 * Whether a state may be stored over another; `stored` is undefined when there is none.
 *
 * A final state stays, a ready one gives way only to a ready one, and `onlyOver`, when given, must list what is there.
 */
export function mayStore(stored: State | undefined, next: State, onlyOver: readonly State[] | undefined): boolean {
  if (onlyOver !== undefined && !onlyOver.includes(stored ?? 'PENDING')) return false
  if (stored === undefined) return true
  return !FINAL_STATES.has(stored) && (!READY_STATES.has(stored) || READY_STATES.has(next))
}

import type { State } from '../states.ts'

/** From the state that says most about a pool to the one that says least. */
const WEIGHT: readonly State[] = ['PENDING', 'RECEIVED', 'STARTED', 'RETRY', 'REVOKED', 'FAILURE', 'SUCCESS']

/**
 * The one state of many tasks: the first of PENDING, RECEIVED, STARTED, RETRY, REVOKED, FAILURE and SUCCESS that
 * any of them is in. A state of the task's own counts as STARTED. No tasks at all are a SUCCESS.
 */
export function aggregateState(states: Iterable<State>): State {
  let lowest = WEIGHT.length - 1
  for (const state of states) {
    const weight = WEIGHT.indexOf(state)
    lowest = Math.min(lowest, weight === -1 ? WEIGHT.indexOf('STARTED') : weight)
  }
  return WEIGHT[lowest] ?? 'SUCCESS'
}

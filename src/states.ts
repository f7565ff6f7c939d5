/**
 * The states of a task, as Celery names them.
 *
 * A task may also report states of its own through `currentTask()?.updateState`; those are plain strings.
 * @see Celery `celery/states.py`
 */
export type State =
  | 'PENDING'
  | 'RECEIVED'
  | 'STARTED'
  | 'SUCCESS'
  | 'FAILURE'
  | 'RETRY'
  | 'REVOKED'
  | 'REJECTED'
  | 'IGNORED'
  | (string & {})

/** States after which nothing more happens to a task. */
export const READY_STATES: ReadonlySet<State> = new Set(['SUCCESS', 'FAILURE', 'REVOKED'])

/** States whose stored result is an exception. */
export const EXCEPTION_STATES: ReadonlySet<State> = new Set(['RETRY', 'FAILURE', 'REVOKED'])

/** Ready states that a late or repeated run of the same task never overwrites. */
export const FINAL_STATES: ReadonlySet<State> = new Set(['SUCCESS', 'REVOKED'])

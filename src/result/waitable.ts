import type { StoredResult } from '../backend.ts'
import { READY_STATES } from '../states.ts'

let read: (task: Waitable) => StoredResult | undefined
let write: (task: Waitable, record: StoredResult | undefined) => void

/**
 * A task that can be waited for, with what was last read of it.
 *
 * That record is out of sight of those who use futures; {@link latestOf} and {@link remember} reach it.
 */
export class Waitable {
  readonly id: string
  #latest: StoredResult | undefined

  constructor(id: string) {
    this.id = id
  }

  static {
    read = (task) => task.#latest
    write = (task, record) => {
      task.#latest = record
    }
  }
}

/** What was last read of the task. Its outcome never changes once it was seen, so a ready record is not read again. */
export function latestOf(task: Waitable): StoredResult | undefined {
  return read(task)
}

/** Keeps what was read of the task; undefined: nothing is stored. */
export function remember(task: Waitable, record: StoredResult | undefined): void {
  write(task, record)
}

/** Whether the task of this record has ended. */
export function isReady(record: StoredResult | undefined): boolean {
  return record !== undefined && READY_STATES.has(record.status)
}

/** Few tasks are sent without a result, so the others' futures carry nothing for it. */
const withoutResult = new WeakSet<Waitable>()

/** Says that nothing is stored when the task ends. */
export function expectNoResult(task: Waitable): void {
  withoutResult.add(task)
}

/** Whether nobody can see how the task ends; a cancelled one is stored all the same. */
export function endsUnseen(task: Waitable): boolean {
  return withoutResult.has(task) && !isReady(latestOf(task))
}

import type { StoredResult } from '../backend.ts'
import { type Outcome, outcomeOf } from './outcome.ts'
import type { ResultSource } from './source.ts'
import { waitFor, type WaitOptions } from './wait.ts'
import type { Waitable } from './waitable.ts'

/** Waits for all tasks; resolves to how each ended. */
export async function waitForOutcomes<T>(
  source: ResultSource,
  tasks: readonly Waitable[],
  options: WaitOptions,
  timeoutError: () => Promise<Error>,
): Promise<Outcome<T>[]> {
  const outcomes: Outcome<T>[] = []
  if (tasks.length === 0) return outcomes
  let left = tasks.length
  return waitFor<Outcome<T>[]>(source, tasks, options, timeoutError, (index, record, settle) => {
    outcomes[index] = outcomeOf<T>(source, record)
    left--
    if (left === 0) settle.resolve(outcomes)
  })
}

/**
 * Waits for all results, in order.
 *
 * Rejects with the first failure in order, as soon as all before it have succeeded: which one that is does
 * not depend on which task was quicker.
 */
export async function waitForResults<T>(
  source: ResultSource,
  tasks: readonly Waitable[],
  options: WaitOptions,
  timeoutError: () => Promise<Error>,
): Promise<T[]> {
  const records: (StoredResult | undefined)[] = []
  const values: T[] = []
  if (tasks.length === 0) return values
  return waitFor<T[]>(source, tasks, options, timeoutError, (index, record, settle) => {
    records[index] = record
    for (let next = records[values.length]; next; next = records[values.length]) {
      const outcome = outcomeOf<T>(source, next)
      if (!outcome.ok) return settle.reject(outcome.error)
      values.push(outcome.value)
    }
    if (values.length === tasks.length) settle.resolve(values)
  })
}

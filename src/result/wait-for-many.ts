import type { StoredResult } from '../backend.ts'
import { failureOf, type Outcome, outcomeOf, valueOf } from './outcome.ts'
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
  if (tasks.length === 0) return []
  const records: StoredResult[] = []
  let left = tasks.length
  await waitFor<void>(source, tasks, options, timeoutError, (index, record, settle) => {
    records[index] = record
    left--
    if (left === 0) settle.resolve()
  })
  return Promise.all(records.map((record) => outcomeOf<T>(source, record)))
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
  if (tasks.length === 0) return []
  const records: StoredResult[] = []
  let succeeded = 0
  await waitFor<void>(source, tasks, options, timeoutError, (index, record, settle) => {
    records[index] = record
    for (let next = records[succeeded]; next; next = records[succeeded]) {
      const error = failureOf(source, next)
      if (error !== undefined) return settle.reject(error)
      succeeded++
    }
    if (succeeded === tasks.length) settle.resolve()
  })
  return Promise.all(records.map((record) => valueOf<T>(source, record)))
}

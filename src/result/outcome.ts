import type { StoredResult } from '../backend.ts'
import { TaskRevokedError } from '../errors.ts'
import { decodeException, errorFromWire } from '../protocol/exception.ts'
import { decodeResultMeta, type ResultMeta } from '../protocol/result.ts'
import { EXCEPTION_STATES } from '../states.ts'
import type { ResultSource } from './source.ts'

/** How a task ended. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error }

/**
 * Reads how a task ended. `T` is what its function returns: the store cannot say.
 *
 * Rejects with `DecodeError` when the record cannot be read.
 */
export async function outcomeOf<T>(source: ResultSource, record: StoredResult): Promise<Outcome<T>> {
  const error = failureOf(source, record)
  return error === undefined ? { ok: true, value: await valueOf<T>(source, record) } : { ok: false, error }
}

/** The error that a task ended with; undefined when it did not. */
export function failureOf(source: ResultSource, record: StoredResult): Error | undefined {
  return EXCEPTION_STATES.has(record.status) ? errorOf(source, decodeResultMeta(record.text)) : undefined
}

/** The stored value. */
export async function valueOf<T>(source: ResultSource, record: StoredResult): Promise<T> {
  return (await source.decodeResult(record.taskId, decodeResultMeta(record.text).result)) as T
}

/** What the task reported with its state: the error in states that hold one, else the stored value, or a promise of it. */
export function infoOf(source: ResultSource, record: StoredResult | undefined): unknown {
  if (!record) return undefined
  const meta = decodeResultMeta(record.text)
  if (EXCEPTION_STATES.has(meta.status) && meta.result !== null) return errorOf(source, meta)
  return source.decodeResult(record.taskId, meta.result)
}

function errorOf(source: ResultSource, meta: ResultMeta): Error {
  const error = errorFromWire(decodeException(meta.result), { known: source.knownErrors, traceback: meta.traceback })
  if (meta.status !== 'REVOKED' || error instanceof TaskRevokedError) return error
  return new TaskRevokedError(error.message, { cause: error })
}

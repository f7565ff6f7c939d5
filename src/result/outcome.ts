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
 * @throws {@link DecodeError} when the record cannot be read.
 */
export function outcomeOf<T>(source: ResultSource, record: StoredResult): Outcome<T> {
  const meta = decodeResultMeta(record.text)
  if (EXCEPTION_STATES.has(meta.status)) return { ok: false, error: errorOf(source, meta) }
  return { ok: true, value: meta.result as T }
}

/** What the task reported with its state: the error in states that hold one, else the stored value. */
export function infoOf(source: ResultSource, record: StoredResult | undefined): unknown {
  if (!record) return undefined
  const meta = decodeResultMeta(record.text)
  return EXCEPTION_STATES.has(meta.status) && meta.result !== null ? errorOf(source, meta) : meta.result
}

function errorOf(source: ResultSource, meta: ResultMeta): Error {
  const error = errorFromWire(decodeException(meta.result), { known: source.knownErrors, traceback: meta.traceback })
  if (meta.status !== 'REVOKED' || error instanceof TaskRevokedError) return error
  return new TaskRevokedError(error.message, { cause: error })
}

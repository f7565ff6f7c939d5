import { ContentDisallowed, DecodeError } from '../../src/errors.ts'

/** What a call throws; undefined when it returns. */
export function thrownBy(attempt: () => unknown): unknown {
  try {
    attempt()
    return undefined
  } catch (error) {
    return error
  }
}

/** Whether a reader either read its input or refused it with one of the two errors that it may throw. */
export function readsOrRefuses(attempt: () => unknown): boolean {
  const error = thrownBy(attempt)
  return error === undefined || error instanceof DecodeError || error instanceof ContentDisallowed
}

import { OperationalError } from '../../errors.ts'

const BUSY = 5
const LOCKED = 6

/** Primary result codes of SQLite after which the store, not one statement, is at fault; with what to do. */
const STORE_FAULTS = new Map([
  [7, 'is out of memory. Give the process more memory'],
  [8, 'cannot be written. Make the file and its folder writable for this user'],
  [10, 'cannot be read or written (input/output error). Look at the disk'],
  [11, 'is damaged. It was left as it is: move it away to start with an empty one, or restore it from a copy'],
  [13, 'cannot grow, the disk is full. Free some space; nothing was half-written'],
  [14, 'cannot be opened. Check that its folder exists and is writable'],
  [15, 'has a locking protocol that this system does not follow. Put it on a local disk'],
  [26, 'is not a SQLite database. It was left as it is: move it away, or choose another path in brokerUrl'],
])

/** Whether another connection holds the lock that was wanted; trying again is then the thing to do. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error)
  return code === BUSY || code === LOCKED
}

/** Whether the whole store is at fault, rather than what one statement was given. */
export function isStoreFault(error: unknown): boolean {
  const code = primaryCode(error)
  return code !== undefined && STORE_FAULTS.has(code)
}

/** The error a caller sees: one sentence about the file for what SQLite says; anything else as it is. */
export function toOperationalError(error: unknown, path: string): unknown {
  const code = primaryCode(error)
  if (code === undefined) return error
  const said = error instanceof Error ? error.message : String(error)
  const meaning = STORE_FAULTS.get(code)
  if (meaning === undefined) return new OperationalError(`The database "${path}" refused a statement: ${said}.`, { cause: error })
  return new OperationalError(`The database "${path}" ${meaning} (SQLite: ${said}).`, { cause: error })
}

function primaryCode(error: unknown): number | undefined {
  const code: unknown = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  // Extended codes keep the primary one in the low byte.
  return typeof code === 'number' ? code & 0xff : undefined
}

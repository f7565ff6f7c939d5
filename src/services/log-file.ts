import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'

import { makeOwnFolder } from '../internal/own-folder.ts'

/** How much of a log is worth repeating in an error. */
const TAIL_BYTES = 4096
const TAIL_LINES = 20

/** A log file open for appending. */
export interface OpenLog {
  readonly fd: number
  /** Where what is written from now on begins. */
  readonly from: number
}

/** Opens a log for appending, creating it and its directory for this user only. The caller closes `fd`. */
export function openLog(path: string): OpenLog {
  makeOwnFolder(dirname(path))
  const fd = openSync(path, 'a', 0o600)
  return { fd, from: fstatSync(fd).size }
}

/** The last lines of a log, of what was written after `from`. Empty when there is nothing to read. */
export function logTail(path: string, from = 0): string {
  try {
    const fd = openSync(path, 'r')
    try {
      return lastLines(fd, from)
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}

function lastLines(fd: number, from: number): string {
  const { size } = fstatSync(fd)
  // A file that shrank was rotated: all of it is new.
  const start = Math.max(size - TAIL_BYTES, size < from ? 0 : from)
  const buffer = Buffer.alloc(size - start)
  const length = readSync(fd, buffer, 0, buffer.length, start)
  return buffer.toString('utf8', 0, length).trim().split('\n').slice(-TAIL_LINES).join('\n')
}

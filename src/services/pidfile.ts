import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { CeleriacError } from '../errors.ts'
import { isGone } from '../internal/process-identity.ts'

/**
 * Writes this process's id into `path`. A file left by a process that has ended is replaced.
 *
 * @returns removes the file again, if it is still this process's.
 * @throws {@link CeleriacError} `ERR_CELERIAC_PIDFILE` when a living process owns the file.
 */
export function claimPidfile(path: string): () => void {
  mkdirSync(dirname(path), { recursive: true })
  if (!create(path)) {
    const owner = readPid(path)
    if (owner !== undefined && owner !== process.pid && !isGone(owner, null)) throw owned(path, owner)
    // Somebody else may have found it stale at the same moment, and have replaced it.
    if (readPid(path) === owner) rmSync(path, { force: true })
    if (!create(path)) throw owned(path, readPid(path))
  }
  return () => {
    if (readPid(path) === process.pid) rmSync(path, { force: true })
  }
}

function create(path: string): boolean {
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: 'wx', mode: 0o644 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim())
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

function owned(path: string, pid: number | undefined): CeleriacError {
  return new CeleriacError(
    'ERR_CELERIAC_PIDFILE',
    `The pidfile ${path} belongs to a running process (${pid ?? 'unknown'}). Stop that worker first, or give this one another pidfile.`,
  )
}

import { readFileSync, statSync } from 'node:fs'

/** Says which processes hold a lock on the database, for an error message; an empty string when the system does not tell. */
export function describeLockHolders(path: string): string {
  const pids = new Set([path, `${path}-shm`].flatMap(pidsLocking))
  pids.delete(process.pid)
  if (pids.size === 0) return ''
  return ` Held by ${[...pids].map((pid) => `process ${pid} (${commandOf(pid)})`).join(', ')}.`
}

function pidsLocking(path: string): number[] {
  try {
    const inode = `:${statSync(path).ino} `
    const lines = readFileSync('/proc/locks', 'utf8').split('\n')
    return lines.filter((line) => line.includes(inode) && line.includes('WRITE')).map((line) => Number(line.trim().split(/\s+/)[4]))
  } catch {
    return []
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 120)
  } catch {
    return 'unknown command'
  }
}

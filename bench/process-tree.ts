import { readFileSync, readdirSync } from 'node:fs'

/** Clock ticks a second in `/proc`: the kernel's USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** The living descendants of a process, parents before their children. Linux only, as is all of this file. */
export function descendants(pid: number): number[] {
  const childrenOf = Map.groupBy(processes(), (process) => process.parent)
  const found: number[] = []
  const queue = [pid]
  for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
    const children = (childrenOf.get(parent) ?? []).map((child) => child.pid)
    found.push(...children)
    queue.push(...children)
  }
  return found
}

/** Processor time used so far by these processes together, in seconds. */
export function processorSeconds(pids: readonly number[]): number {
  const ticks = pids.map(readStat).reduce((sum, stat) => sum + (stat?.userTicks ?? 0) + (stat?.systemTicks ?? 0), 0)
  return ticks / TICKS_PER_SECOND
}

/** Resident memory of these processes together, in bytes. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readProc(pid, 'status'))?.[1] ?? 0), 0)
}

/** Sends a signal to each process that still exists. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended meanwhile, which is as good.
    }
  }
}

interface ProcessStat {
  readonly pid: number
  readonly parent: number
  readonly userTicks: number
  readonly systemTicks: number
}

function processes(): ProcessStat[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
  return pids.map(readStat).filter((stat) => stat !== undefined)
}

function readStat(pid: number): ProcessStat | undefined {
  const text = readProc(pid, 'stat')
  if (text === '') return undefined
  // The command name stands in parentheses and may hold spaces, so the fields are counted from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { pid, parent: Number(fields[1]), userTicks: Number(fields[11]), systemTicks: Number(fields[12]) }
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

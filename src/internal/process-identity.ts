import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process as others on the same machine can recognise it again, even after its pid was given to another. */
export interface ProcessIdentity {
  /** Host name, boot and pid namespace: pids mean the same thing only where this is equal. */
  readonly machine: string
  /** Host name, for people. */
  readonly host: string
  readonly pid: number
  /** Start time as the kernel writes it; null where it cannot be read. */
  readonly started: string | null
}

let self: ProcessIdentity | undefined

/** The identity of this process. */
export function thisProcess(): ProcessIdentity {
  self ??= {
    machine: [hostname(), readOr('/proc/sys/kernel/random/boot_id'), pidNamespace()].join(' '),
    host: hostname(),
    pid: process.pid,
    started: startTimeOf(process.pid),
  }
  return self
}

/** When the process `pid` of this machine started, in the kernel's own unit; null when unknown or when it is gone. */
export function startTimeOf(pid: number): string | null {
  return statOf(pid)?.started ?? null
}

/**
 * Whether the process that had this pid and start time is certainly gone from this machine.
 *
 * A zombie is gone: it runs nothing any more. False when in doubt.
 */
export function isGone(pid: number, started: string | null): boolean {
  if (!answersSignals(pid)) return true
  const stat = statOf(pid)
  if (stat === undefined) return false
  return stat.zombie || (started !== null && stat.started !== started)
}

/** Whether a process is certainly gone from this machine. Of one on another machine nothing is known. */
export function isLost({ machine, pid, started }: Omit<ProcessIdentity, 'host'>): boolean {
  return machine === thisProcess().machine && isGone(pid, started)
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function statOf(pid: number): { started: string; zombie: boolean } | undefined {
  const text = readOr(`/proc/${pid}/stat`)
  // The second field is the command in parentheses and may hold spaces and parentheses of its own.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const started = fields[19]
  return started === undefined ? undefined : { started, zombie: fields[0] === 'Z' || fields[0] === 'X' }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

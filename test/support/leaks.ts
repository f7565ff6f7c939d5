import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll } from 'vitest'

/** A process that outlived the tests that started it. */
export interface Leftover {
  readonly pid: number
  readonly command: string
}

/** How long a process that is already ending may take. */
const GRACE_MS = 3_000

/**
 * Fails the test file when a process that it started, directly or through another, is still there after
 * its last test. The leftovers are killed so that no other file meets them.
 *
 * Call it first in the file: hooks run in reverse order, so this one then comes after those that clean up.
 * Needs `/proc`; where there is none it does nothing.
 */
export function failOnLeftovers(): void {
  afterAll(async () => {
    const left = await waitForNone(GRACE_MS)
    for (const { pid } of left) killIfThere(pid)

    if (left.length > 0) throw new Error(`Expected no process left after the tests, found after ${GRACE_MS} ms:\n${left.map(({ pid, command }) => `  ${pid} ${command}`).join('\n')}`)
  })
}

/** The living descendants of this process. */
export function leftovers(): Leftover[] {
  const processes = readProcesses()
  const family = new Set([process.pid])
  let size = 0
  while (size !== family.size) {
    size = family.size
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid)
  }
  return processes.filter(({ pid }) => pid !== process.pid && family.has(pid)).map(({ pid, command }) => ({ pid, command }))
}

async function waitForNone(timeoutMs: number): Promise<Leftover[]> {
  const deadline = Date.now() + timeoutMs
  let left = leftovers()
  while (left.length > 0 && Date.now() < deadline) {
    await pause(20)
    left = leftovers()
  }
  return left
}

interface ProcessEntry extends Leftover {
  readonly parent: number
}

function readProcesses(): ProcessEntry[] {
  return directoryEntries('/proc').filter((name) => /^\d+$/.test(name)).flatMap(readProcess)
}

function directoryEntries(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function readProcess(pid: string): ProcessEntry[] {
  try {
    // The name in parentheses may itself hold spaces and parentheses, so read from the last one.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended; its parent has only not asked for it yet.
    if (state === 'Z') return []

    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return [{ pid: Number(pid), parent: Number(parent), command }]
  } catch {
    // It ended while it was being read.
    return []
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

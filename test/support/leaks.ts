import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll } from 'vitest'

/** A process that outlived the tests that started it. */
export interface Leftover {
  readonly pid: number
  readonly command: string
}

/** In the environment of what a file starts, so that it is known by it when its parent has gone. */
const MARK = 'CELERIAC_TEST_FILE'

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
  process.env[MARK] = String(process.pid)
  afterAll(async () => {
    const left = await waitForNone(GRACE_MS)
    for (const { pid } of left) killIfThere(pid)

    if (left.length > 0) throw new Error(`Expected no process left after the tests, found after ${GRACE_MS} ms:\n${left.map(({ pid, command }) => `  ${pid} ${command}`).join('\n')}`)
  })
}

/** The living descendants of this process, and what they left to others to look after. */
export function leftovers(): Leftover[] {
  const processes = readProcesses()
  const family = new Set([process.pid])
  let size = 0
  while (size !== family.size) {
    size = family.size
    for (const { pid, parent, isMarked } of processes) if (isMarked || family.has(parent)) family.add(pid)
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
  readonly isMarked: boolean
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
    return [{ pid: Number(pid), parent: Number(parent), command, isMarked: isMarked(pid) }]
  } catch {
    // It ended while it was being read.
    return []
  }
}

function isMarked(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${MARK}=${process.pid}`)
  } catch {
    // Another user's.
    return false
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { isGone, startTimeOf } from '../../src/internal/process-identity.ts'
import { storeUrl } from '../support/store.ts'

const FIXTURES = new URL('./fixtures/', import.meta.url)

/** A process that can be told from a later one with the same id. */
export interface SeenProcess {
  readonly pid: number
  readonly started: string | null
  readonly command: string
}

/** A running fixture with what it wrote so far. */
export interface WebProcess {
  readonly child: ChildProcess
  readonly pid: number
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  output(): string
  /** Resolves with the first match in what it writes. */
  says(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>
}

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'services-'))
}

export function fixture(name: string): string {
  return fileURLToPath(new URL(name, FIXTURES))
}

/** The environment of an application that keeps everything in `folder`. */
export function environment(folder: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...process.env, NODE_ENV: 'test', CELERY_BROKER_URL: storeUrl(folder), CELERY_LOG_DIR: folder, CELERY_WORKER_CONCURRENCY: '1', ...more }
}

/** Runs node with `args` as a web process of its own, in `cwd` if that is given. */
export function startWeb(args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string): WebProcess {
  const child = spawn(process.execPath, args, { env, stdio: 'pipe', cwd })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  // A process that has ended no longer reads.
  child.stdin.on('error', () => {})
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  )
  return {
    child,
    pid: child.pid as number,
    ended,
    output: () => output,
    says: (pattern, timeoutMs = 20_000) => until(() => pattern.exec(output) ?? undefined, () => `${pattern} in the output:\n${output}`, timeoutMs),
  }
}

/** Polls other processes: they tell us nothing by themselves. */
export async function until<T>(look: () => T | undefined | Promise<T | undefined>, what: () => string, timeoutMs = 20_000): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms for ${what()}`)
    await pause(20)
  }
}

/** Every process that `pid` started, directly or through another, and that still runs. */
export function descendants(pid: number): SeenProcess[] {
  const all = processIds().flatMap(readProcess)
  const family = new Set([pid])
  for (let size = 0; size !== family.size; ) {
    size = family.size
    for (const one of all) if (family.has(one.parent)) family.add(one.pid)
  }
  return all.filter((one) => one.pid !== pid && family.has(one.pid))
}

/** Ids of the processes whose output goes to a file in `folder`, whoever started them. */
export function loggingInto(folder: string): number[] {
  return processIds().filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/1`).startsWith(`${folder}/`)
    } catch {
      // It ended while it was being read.
      return false
    }
  })
}

/** Those that have not ended. */
export function alive(processes: readonly SeenProcess[]): SeenProcess[] {
  return processes.filter(({ pid, started }) => !isGone(pid, started))
}

export async function gone(processes: readonly SeenProcess[], timeoutMs: number): Promise<void> {
  await until(
    () => alive(processes).length === 0 || undefined,
    () => `the end of:\n${alive(processes).map(({ pid, command }) => `  ${pid} ${command}`).join('\n')}`,
    timeoutMs,
  )
}

function processIds(): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
}

function readProcess(pid: number): (SeenProcess & { parent: number })[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z') return []
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return [{ pid, parent: Number(parent), started: startTimeOf(pid), command }]
  } catch {
    // It ended while it was being read.
    return []
  }
}

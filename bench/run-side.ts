import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { descendants, signalAll } from './process-tree.ts'
import type { Figures, SideInput } from './side.ts'

/** Longest run of one side; what is left of it is then killed. */
const TIMEOUT_MS = 10 * 60_000

/** Runs `sides/<file>` in a fresh process and a fresh folder, and resolves to its figures. */
export async function runSide(file: string, input: Omit<SideInput, 'folder'>): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'celeriac-bench-'))
  try {
    return parseFigures(file, await outputOf(file, { ...input, folder }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function outputOf(file: string, input: SideInput): Promise<string> {
  const path = fileURLToPath(new URL(`sides/${file}`, import.meta.url))
  const child = spawn(process.execPath, [path, JSON.stringify(input)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const pid = child.pid
  const timer = setTimeout(() => pid !== undefined && signalAll([...descendants(pid), pid], 'SIGKILL'), TIMEOUT_MS)
  const [output, errors, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  clearTimeout(timer)
  if (code !== 0) {
    const end = signal ?? `code ${code}`
    throw new Error(`${file} was expected to end by itself; it ended with ${end}:\n${errors.slice(-4000)}`)
  }
  return output
}

function parseFigures(file: string, output: string): Figures {
  const line = output.trimEnd().split('\n').at(-1) ?? ''
  try {
    return JSON.parse(line) as Figures
  } catch (cause) {
    throw new Error(`${file} was expected to print its figures as one JSON line; it printed "${line.slice(0, 200)}".`, { cause })
  }
}

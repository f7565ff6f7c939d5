/**
 * Shows the example at work: `node demo.ts [--serve] [FILE…]`.
 *
 * Starts the application in a project of its own, uploads each file, prints what happens, and checks every answer
 * against the shell. Ends with 0 when all agree. With `--serve` the application keeps running afterwards.
 */
import { openAsBlob, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { createProject, licenceTexts } from './demo/project.ts'
import { countInShell } from './demo/shell-count.ts'
import { startWeb } from './demo/web-process.ts'
import type { Summary } from './summary.ts'

const POLL_MS = 25
/** How much of a word is shown. */
const SHOWN = 30
/** Without any progress for so long, something is broken. */
const PATIENCE_MS = 30_000
/** How long an ending process may take to be gone from the table of processes. */
const GONE_MS = 3_000

interface Status {
  readonly state: string
  readonly done: number
  readonly total: number
}

const interrupted = new AbortController()

async function main(args: readonly string[]): Promise<void> {
  // npm and scripts/demo change the folder; a path means what it meant where it was typed.
  const files = args.filter((arg) => arg !== '--serve').map((file) => resolve(process.env['INIT_CWD'] ?? '.', file))
  for (const file of files) if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new Error(`Expected a file to count, but ${file} is none.`)

  const project = createProject()
  try {
    await show(project.folder, files.length > 0 ? files : [licenceTexts(project.folder)], args.includes('--serve'))
  } finally {
    project.remove()
  }
}

async function show(folder: string, files: readonly string[], keepsServing: boolean): Promise<void> {
  const web = await startWeb(folder, process.env['PORT'])
  const pids = new Set([web.pid])
  try {
    print(`The application runs: node app.ts, process ${web.pid}, ${web.address}, in ${folder}`)
    for (const file of files) for (const pid of await count(web.address, file)) pids.add(pid)
    if (keepsServing) {
      print(`\nStill serving; Ctrl-C ends it. Try:  curl -F file=@README.md ${web.address}/upload`)
      await Promise.race([web.ended, untilInterrupted()])
    }
  } finally {
    await web.stop()
  }
  await untilGone(pids)
  print(`\nAll ${pids.size} processes have ended: ${[...pids].join(', ')}.`)
}

/** Has one file counted, and compares. Gives the processes that took part. */
async function count(address: string, file: string): Promise<number[]> {
  const started = performance.now()
  const { id, total } = await upload(address, file)
  print(`\n${basename(file)}: ${megabytes(statSync(file).size)} uploaded; answered 202 after ${since(started)} with ${total} tasks under the id ${id}`)

  await follow(`${address}/status/${id}`, started)

  const { words, top, processes } = await get<Summary>(`${address}/result/${id}`)
  const { workers } = await get<{ workers: { name: string; pid: number }[] }>(`${address}/processes`)
  print(`  ${words} words after ${since(started)}; most frequent: ${top.map(({ word, times }) => `${JSON.stringify(word.slice(0, SHOWN))} ${times}`).join(', ')}`)
  for (const { name, pid } of workers) print(`  worker ${name} is process ${pid}`)
  for (const { pid, chunks } of processes) print(`  its process ${pid} counted ${chunks} chunks`)

  const expected = countInShell(file)
  if (words !== expected) throw new Error(`The shell counts ${expected} words in ${file}, the tasks counted ${words}.`)
  print(`  tr and wc count ${expected} words: the same`)
  return [...workers, ...processes].map(({ pid }) => pid)
}

async function upload(address: string, file: string): Promise<{ id: string; total: number }> {
  const form = new FormData()
  form.append('file', await openAsBlob(file), basename(file))
  const response = await fetch(`${address}/upload`, { method: 'POST', body: form, signal: interrupted.signal })
  if (response.status !== 202) throw new Error(`Expected 202 for the upload of ${file}, got ${response.status}: ${await response.text()}`)
  return (await response.json()) as { id: string; total: number }
}

/** Asks until every chunk is counted, and prints each change. */
async function follow(url: string, started: number): Promise<void> {
  let seen = -1
  let changedAt = performance.now()
  for (;;) {
    const { state, done, total } = await get<Status>(url)
    if (done !== seen) print(`  ${String(done).padStart(String(total).length)} of ${total} chunks, ${state}, ${since(started)}`)
    if (done !== seen) changedAt = performance.now()
    seen = done
    if (done === total) return
    if (state === 'FAILURE' || state === 'REVOKED') throw new Error(`Expected every chunk to be counted, but one of them is ${state}.`)
    if (performance.now() - changedAt > PATIENCE_MS) throw new Error(`Nothing was counted for ${PATIENCE_MS / 1000} s: ${done} of ${total} chunks are done.`)
    await pause(POLL_MS, undefined, { signal: interrupted.signal })
  }
}

async function get<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: interrupted.signal })
  if (!response.ok) throw new Error(`Expected an answer from ${url}, got ${response.status}: ${await response.text()}`)
  return (await response.json()) as T
}

async function untilInterrupted(): Promise<void> {
  await new Promise((resolve) => interrupted.signal.addEventListener('abort', resolve, { once: true }))
}

async function untilGone(pids: ReadonlySet<number>): Promise<void> {
  const deadline = performance.now() + GONE_MS
  for (;;) {
    const left = [...pids].filter(isAlive)
    if (left.length === 0) return
    if (performance.now() > deadline) throw new Error(`Expected every process to have ended, but ${left.join(', ')} still runs.`)
    await pause(POLL_MS)
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function since(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(2)} s`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function print(line: string): void {
  console.log(line)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort(new Error(`Ended by ${signal}.`)))

try {
  await main(process.argv.slice(2))
} catch (error) {
  const reason: unknown = interrupted.signal.aborted ? interrupted.signal.reason : error
  console.error(reason instanceof Error ? reason.message : reason)
  process.exitCode = 1
}

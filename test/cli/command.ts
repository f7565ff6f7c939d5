import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll } from 'vitest'

import { onRedis, storeUrl } from '../support/store.ts'
import { within } from '../support/within.ts'

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts')
const LIBRARY = pathToFileURL(resolve(import.meta.dirname, '../../src/index.ts')).href
const TIMEOUT_MS = 20_000

const folders: string[] = []

afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

/** An application with a few tasks, in files of a {@link project}. */
export const APP = `
  import { writeFileSync } from 'node:fs'
  import { Celery } from 'celeriac'
  export const celery = new Celery('shop')
  celery.task({ name: 'shop.add' }, function add(x, y) { return x + y })
  celery.task({ name: 'shop.prices' }, function prices() { return new Map([['cat', [2n]]]) })
  celery.task({ name: 'shop.fail' }, function fail() { throw new RangeError('too far') })
  celery.task({ name: 'shop.hold', queue: 'slow' }, function hold(mark, ms) {
    writeFileSync(mark, '')
    return new Promise((resolve) => setTimeout(resolve, ms, 'held'))
  })
  celery.task({ name: 'shop.spin', queue: 'slow' }, function spin(mark) {
    writeFileSync(mark, '')
    for (;;);
  })
`

/** Makes a folder with these files, in which `'celeriac'` is this library. It is removed after the last test of the file. */
export function project(files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cli-')))
  folders.push(folder)
  for (const [path, text] of Object.entries({ 'package.json': '{ "name": "shop", "type": "module" }', ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text.replaceAll(`'celeriac'`, `'${LIBRARY}'`))
  }
  return folder
}

export interface CommandOptions {
  /** What it reads from standard input. */
  readonly input?: string
  readonly env?: NodeJS.ProcessEnv
}

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `celeriac` with these words in a folder until it ends. */
export function run(folder: string, words: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  return start(folder, words, options).ended()
}

/** Starts `celeriac` with these words in a folder. */
export function start(folder: string, words: readonly string[], options: CommandOptions = {}): RunningCommand {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CELER|VITEST|NODE_|FORCE_COLOR|NO_COLOR|COLUMNS)/.test(name)))
  const child = spawn(process.execPath, [MAIN, ...words], { cwd: folder, env: { ...env, ...(onRedis && { CELERY_BROKER_URL: storeUrl(folder) }), ...options.env }, stdio: 'pipe' })
  child.stdin.end(options.input ?? '')
  return new RunningCommand(child, words.join(' '))
}

/** A command that has yet to end. */
export class RunningCommand {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #words: string
  readonly #closed: Promise<void>
  readonly #waiting = new Set<() => void>()
  #stdout = ''
  #stderr = ''

  constructor(child: ChildProcess, words: string) {
    this.#child = child
    this.#words = words
    this.pid = child.pid ?? 0
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      this.#look()
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
      this.#look()
    })
    this.#closed = new Promise((closed) => child.once('close', () => closed()))
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves when it has printed `text`. */
  async printed(text: string): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!this.#stdout.includes(text) && !this.#stderr.includes(text)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
    const endedFirst = this.#closed.then(() => {
      throw new Error(`"celeriac ${this.#words}" ended before it printed "${text}":\n${this.#stdout}${this.#stderr}`)
    })
    endedFirst.catch(() => {})
    await within(Promise.race([seen, endedFirst]), `"celeriac ${this.#words}" to print "${text}"`, TIMEOUT_MS)
  }

  async ended(): Promise<Ended> {
    await within(this.#closed, `"celeriac ${this.#words}" to end`, TIMEOUT_MS)
    return { code: this.#child.exitCode, stdout: this.#stdout, stderr: this.#stderr }
  }

  #look(): void {
    for (const look of this.#waiting) look()
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** How long the application may take to close: its workers let running tasks finish. */
const CLOSE_MS = 15_000

/** The application as a process of its own. */
export interface WebProcess {
  readonly pid: number
  /** E.g. `http://127.0.0.1:41827`. */
  readonly address: string
  /** Resolves when the process has ended, by whatever cause. */
  readonly ended: Promise<unknown>
  /** Asks it to end and waits until it has. */
  stop(): Promise<void>
}

/** Runs `node app.ts` in a folder, on a free port unless `port` names one, and waits until it listens. */
export async function startWeb(folder: string, port = '0'): Promise<WebProcess> {
  const child = spawn(process.execPath, ['app.ts'], { cwd: folder, env: environment(port), stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const address = await Promise.race([readAddress(child), ended.then(() => undefined)])
  if (address === undefined) throw new Error(`Expected the application in ${folder} to listen, but it ended with code ${child.exitCode}. Its own message is above.`)
  return { pid: child.pid ?? 0, address, ended, stop: () => stop(child, ended) }
}

/** Without the settings of the shell that the demonstration was called from: it shows the defaults. */
function environment(port: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:CELERY|CELERIAC)_|^NODE_ENV$/.test(name))
  return { ...Object.fromEntries(kept), PORT: port }
}

async function readAddress(child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) return undefined
  let address: string | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    address = /http:\S+/.exec(line)?.[0]
    if (address !== undefined) break
  }
  // Nobody reads the rest; a full pipe would hold the application up.
  child.stdout.resume()
  return address
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS)
  await ended
  clearTimeout(force)
}

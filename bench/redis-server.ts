import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const START_TIMEOUT_MS = 10_000

const HOW_TO_GET_IT =
  'redis-server cannot be run. Install it ("apt-get install redis-server"), or measure the embedded default alone: --sides=celeriac.'

/** A Redis of our own: on a free port of 127.0.0.1, in a temporary folder, writing nothing to disk. */
export class RedisServer {
  readonly port: number
  readonly version: string
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(port: number, version: string, child: ChildProcess, folder: string) {
    this.port = port
    this.version = version
    this.#child = child
    this.#folder = folder
  }

  /** Resolves when it takes connections. Rejects with what to install when there is no `redis-server`. */
  static async start(): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'celeriac-bench-redis-'))
    const port = await freePort()
    const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
    const child = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      return new RedisServer(port, await waitUntilReady(child), child, folder)
    } catch (error) {
      child.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Drops every key, so that the next side finds an empty server. */
  async flush(): Promise<void> {
    const socket = connect(this.port, '127.0.0.1')
    socket.write('FLUSHALL\r\n')
    const [reply] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    const answer = reply.toString().trim()
    if (answer !== '+OK') throw new Error(`Redis was expected to answer FLUSHALL with OK; it said "${answer}".`)
  }

  /** Ends the server and removes its folder. Safe to call twice. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      await ended
    }
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Resolves to the server's version, which its log says on start. */
async function waitUntilReady(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let log = ''
  const tooLate = (): void => reject(new Error(`redis-server was not ready after ${START_TIMEOUT_MS / 1000} s:\n${log}`))
  const timer = setTimeout(tooLate, START_TIMEOUT_MS)
  child.stdout?.on('data', (chunk: Buffer) => {
    // Always read on, so that the server is never blocked by a full pipe.
    if (log.length < 100_000) log += chunk.toString()
    if (log.includes('Ready to accept connections')) resolve(/version=([\d.]+)/i.exec(log)?.[1] ?? 'unknown')
  })
  child.once('exit', (code) => reject(new Error(`redis-server ended with code ${code} before it was ready:\n${log}`)))
  child.once('error', (cause) => reject(new Error(HOW_TO_GET_IT, { cause })))
  return promise.finally(() => clearTimeout(timer))
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

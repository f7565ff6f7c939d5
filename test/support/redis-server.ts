import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { describe, inject } from 'vitest'
import { makeCertificates, type Certificates } from './redis-certificates.ts'

const START_TIMEOUT_MS = 10_000

/** How a server is started. */
export interface RedisServerOptions {
  /** Keeps its data over {@link RedisServer.kill}. */
  readonly appendOnly?: boolean
  readonly port?: number
  /** Kept, with what is in it; a temporary one when absent. */
  readonly folder?: string
  readonly password?: string
  /** Speaks TLS only; `clients` wants certificates of them. */
  readonly tls?: boolean | 'clients'
  readonly databases?: number
  /** Further settings by their names. */
  readonly config?: Readonly<Record<string, string>>
}

/** A client for tests to look into a server with. */
export type TestRedisClient = ReturnType<typeof createClient>

/** A Redis that runs at a port of 127.0.0.1. */
export class RedisAt {
  readonly port: number
  readonly password: string | undefined
  readonly #clients = new Set<TestRedisClient>()

  constructor(port: number, password?: string) {
    this.port = port
    this.password = password
  }

  /** The URL of a database. */
  url(database = 0): string {
    const user = this.password === undefined ? '' : `:${encodeURIComponent(this.password)}@`
    return `redis://${user}127.0.0.1:${this.port}/${database}`
  }

  /** The URL of a database that nobody has used yet; the server counts them, in its database 0. */
  async freshUrl(): Promise<string> {
    const client = await this.client()
    const database = await client.incr('test.databases')
    client.destroy()
    return this.url(database)
  }

  /** A connected client, closed by {@link closeClients} unless before. */
  async client(url: string = this.url()): Promise<TestRedisClient> {
    const client: TestRedisClient = createClient({ url })
    client.on('error', () => {})
    this.#clients.add(client)
    await client.connect()
    return client
  }

  closeClients(): void {
    for (const client of this.#clients) client.destroy()
    this.#clients.clear()
  }
}

/** A Redis of a test's own, in a folder of its own. */
export class RedisServer extends RedisAt {
  readonly folder: string
  readonly certificates: Certificates | undefined
  readonly #options: RedisServerOptions
  #child: ChildProcess | undefined

  private constructor(port: number, folder: string, certificates: Certificates | undefined, options: RedisServerOptions) {
    super(port, options.password)
    this.folder = folder
    this.certificates = certificates
    this.#options = options
  }

  /** Resolves when it takes connections. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'celeriac-redis-')))
    const certificates = options.tls ? makeCertificates(folder) : undefined
    for (let tries = 1; ; tries++) {
      const server = new RedisServer(options.port ?? (await freePort()), folder, certificates, options)
      try {
        await server.restart()
        return server
      } catch (error) {
        // Somebody else may have taken the port meanwhile.
        if (options.port === undefined && tries < 3 && String(error).includes('already in use')) continue
        await server.dispose()
        throw error
      }
    }
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('The server does not run.')
    return this.#child.pid
  }

  get socketPath(): string {
    return join(this.folder, 'redis.sock')
  }

  override url(database = 0): string {
    return this.certificates === undefined ? super.url(database) : super.url(database).replace(/^redis:/, 'rediss:')
  }

  /** Starts it again at the same port, with the same folder. Stops it first if it runs. */
  async restart(): Promise<void> {
    await this.stop()
    const child = spawn('redis-server', this.#settings(), { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    await waitUntilReady(child)
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends it in an orderly way. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Freezes it: connections stay open, and nothing is answered. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Ends it, and removes its folder unless that was given. Safe to call twice. */
  async dispose(): Promise<void> {
    this.closeClients()
    await this.kill()
    if (this.#options.folder === undefined) await rm(this.folder, { recursive: true, force: true })
  }

  #settings(): string[] {
    const { appendOnly = false, password, databases = 4096, tls, config = {} } = this.#options
    const settings: Record<string, string> = {
      bind: '127.0.0.1',
      port: this.certificates === undefined ? String(this.port) : '0',
      unixsocket: this.socketPath,
      save: '',
      appendonly: appendOnly ? 'yes' : 'no',
      dir: this.folder,
      databases: String(databases),
      ...(password === undefined ? {} : { requirepass: password }),
      ...(this.certificates === undefined ? {} : tlsSettings(this.port, this.certificates, tls === 'clients')),
      ...config,
    }
    return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...(name === 'rename-command' ? value.split(' ') : [value])])
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    // A frozen process ends of nothing but SIGKILL.
    child.kill('SIGCONT')
    child.kill(signal)
    await ended
  }
}

function tlsSettings(port: number, { caFile, certFile, keyFile }: Certificates, wantsClients: boolean): Record<string, string> {
  return { 'tls-port': String(port), 'tls-ca-cert-file': caFile, 'tls-cert-file': certFile, 'tls-key-file': keyFile, 'tls-auth-clients': wantsClients ? 'yes' : 'no' }
}

/** Why suites that need a Redis cannot run here, if so. */
export const REDIS_MISSING: string | undefined = spawnSync('redis-server', ['--version']).error === undefined ? undefined : 'redis-server is not installed'

/** `describe` for what needs a Redis; skipped with the reason where there is none. */
export function describeRedis(title: string, suite: () => void): void {
  const declare = REDIS_MISSING === undefined ? describe : describe.skip
  declare(REDIS_MISSING === undefined ? title : `${title} (skipped: ${REDIS_MISSING})`, suite)
}

let shared: RedisAt | undefined

/**
 * The Redis that all test files share. Take a {@link RedisAt.freshUrl}; it refuses FLUSHALL, and whoever stops, freezes or
 * configures a server starts one of their own.
 */
export function sharedRedis(): RedisAt {
  const port = inject('redisPort')
  if (port === undefined) throw new Error('There is no shared Redis. Put the suite into describeRedis().')
  return (shared ??= new RedisAt(port))
}

async function waitUntilReady(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let log = ''
  const timer = setTimeout(() => reject(new Error(`redis-server was not ready after ${START_TIMEOUT_MS / 1000} s:\n${log}`)), START_TIMEOUT_MS)
  const read = (chunk: Buffer): void => {
    // Always read on, so that the server is never blocked by a full pipe.
    if (log.length < 100_000) log += chunk.toString()
    if (log.includes('Ready to accept connections')) resolve()
  }
  child.stdout?.on('data', read)
  child.stderr?.on('data', read)
  child.once('exit', (code) => reject(new Error(`redis-server ended with code ${code} before it was ready:\n${log}`)))
  child.once('error', reject)
  return promise.finally(() => clearTimeout(timer))
}

/** A port of 127.0.0.1 that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

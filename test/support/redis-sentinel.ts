import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { freePort, RedisServer } from './redis-server.ts'

const SENTINELS = 3
const QUORUM = 2
const READY_TIMEOUT_MS = 20_000

/** What they are protected with, if at all. */
export interface SentinelPasswords {
  /** Of the servers. */
  readonly password?: string
  /** Of the sentinels themselves. */
  readonly sentinelPassword?: string
}

/** A master and a replica, watched by three sentinels, which replace a dead master after half a second. */
export class RedisSentinels {
  /** What the sentinels call the master. */
  readonly masterName: string = 'mymaster'
  readonly master: RedisServer
  readonly replica: RedisServer
  readonly ports: readonly number[]
  readonly #folder: string
  readonly #sentinelPassword: string | undefined
  readonly #children: ChildProcess[] = []

  private constructor(master: RedisServer, replica: RedisServer, ports: readonly number[], folder: string, sentinelPassword: string | undefined) {
    this.master = master
    this.replica = replica
    this.ports = ports
    this.#folder = folder
    this.#sentinelPassword = sentinelPassword
  }

  /** Resolves when the replica follows the master, and every sentinel knows all of them. */
  static async start({ password, sentinelPassword }: SentinelPasswords = {}): Promise<RedisSentinels> {
    const config = { 'repl-diskless-sync-delay': '0', ...(password !== undefined && { masterauth: password }) }
    const own = { config, ...(password !== undefined && { password }) }
    const master = await RedisServer.start(own)
    const replica = await RedisServer.start({ ...own, config: { ...config, replicaof: `127.0.0.1 ${master.port}` } })
    const folder = await mkdtemp(join(tmpdir(), 'celeriac-sentinels-'))
    const ports: number[] = []
    while (ports.length < SENTINELS) ports.push(await freePort())
    const sentinels = new RedisSentinels(master, replica, ports, folder, sentinelPassword)
    try {
      await sentinels.#start()
      return sentinels
    } catch (error) {
      await sentinels.dispose()
      throw error
    }
  }

  /** All of them in one URL, as Celery writes it: with the password of the servers. */
  url(database = 0): string {
    const { password } = this.master
    const user = password === undefined ? '' : `:${encodeURIComponent(password)}@`
    return this.ports.map((port) => `sentinel://${user}127.0.0.1:${port}/${database}`).join(';')
  }

  /** Resolves when the replica has become the master. */
  promoted(timeoutMs: number): Promise<void> {
    return until(() => this.#isPromoted(), 'the promotion of the replica', timeoutMs)
  }

  /** Ends all of it. Safe to call twice. */
  async dispose(): Promise<void> {
    await Promise.all(this.#children.splice(0).map(end))
    await Promise.all([this.master.dispose(), this.replica.dispose()])
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #start(): Promise<void> {
    await until(async () => String(await ask(this.replica.port, this.master.password, ['INFO', 'replication'])).includes('master_link_status:up'), 'the replica')
    for (const port of this.ports) {
      const file = join(this.#folder, `${port}.conf`)
      await writeFile(file, `${this.#settings(port).join('\n')}\n`)
      this.#children.push(spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' }))
    }
    await Promise.all(this.ports.map((port) => until(() => this.#knowsAll(port), `the sentinel at ${port} to know the others`)))
  }

  #settings(port: number): string[] {
    const { master, masterName } = this
    return [
      'bind 127.0.0.1',
      `port ${port}`,
      `dir ${this.#folder}`,
      `sentinel monitor ${masterName} 127.0.0.1 ${master.port} ${QUORUM}`,
      `sentinel down-after-milliseconds ${masterName} 500`,
      `sentinel failover-timeout ${masterName} 3000`,
      ...(master.password === undefined ? [] : [`sentinel auth-pass ${masterName} ${master.password}`]),
      ...(this.#sentinelPassword === undefined ? [] : [`requirepass ${this.#sentinelPassword}`, `sentinel sentinel-pass ${this.#sentinelPassword}`]),
    ]
  }

  async #knowsAll(port: number): Promise<boolean> {
    const count = async (what: string): Promise<number> => ((await ask(port, this.#sentinelPassword, ['SENTINEL', what, this.masterName])) as unknown[]).length
    return (await count('REPLICAS')) === 1 && (await count('SENTINELS')) === SENTINELS - 1
  }

  async #isPromoted(): Promise<boolean> {
    const role = await ask(this.replica.port, this.replica.password, ['ROLE'])
    return Array.isArray(role) && role[0] === 'master'
  }
}

/** Asks a server or a sentinel something on a connection of its own. */
async function ask(port: number, password: string | undefined, command: readonly string[]): Promise<unknown> {
  const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: false }, ...(password !== undefined && { password }) })
  client.on('error', () => {})
  try {
    await client.connect()
    return await client.sendCommand(command)
  } finally {
    client.destroy()
  }
}

async function until(check: () => Promise<boolean>, what: string, timeoutMs = READY_TIMEOUT_MS): Promise<void> {
  const untilMs = performance.now() + timeoutMs
  // What has only just been started does not answer yet.
  while (!(await check().catch(() => false))) {
    if (performance.now() > untilMs) throw new Error(`Waited ${timeoutMs} ms for ${what}.`)
    await sleep(20)
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

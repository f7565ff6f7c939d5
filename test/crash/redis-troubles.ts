import { setTimeout as pause } from 'node:timers/promises'

import { until } from '../services/web-process.ts'
import type { CutProxy } from '../support/cut-proxy.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { generator, oneOf } from './killer.ts'
import type { Kind, Victims } from './victims.ts'

/** How often each happens. */
const TROUBLES = {
  'kill of a worker': 8,
  'kill of a pool child': 16,
  'restart after SIGTERM': 3,
  'restart after SIGKILL': 4,
  'CLIENT KILL TYPE normal': 6,
  'CLIENT KILL TYPE pubsub': 4,
  'cut at the proxy': 8,
  'SCRIPT FLUSH': 6,
  'DEBUG SLEEP 3': 2,
}

/** What may happen to an application on Redis. */
export type Trouble = keyof typeof TROUBLES

/** The longest that the server is away. */
const LONGEST_AWAY_MS = 1500

/** What {@link makeTroubles} is told. */
export interface TroubleOptions {
  readonly seed: number
  readonly forMs: number
  readonly server: RedisServer
  readonly proxy: CutProxy
  readonly victims: Victims
}

/** Makes all of the troubles, in an order that follows from the seed and evenly over the time; resolves to how many there were of each. */
export async function makeTroubles(options: TroubleOptions): Promise<Record<Trouble, number>> {
  const random = generator(options.seed)
  const plan = shuffled(Object.entries(TROUBLES).flatMap(([trouble, count]) => Array.from({ length: count }, () => trouble as Trouble)), random)
  const counts = Object.fromEntries(Object.keys(TROUBLES).map((trouble) => [trouble, 0])) as Record<Trouble, number>
  const startMs = performance.now()
  for (const [index, trouble] of plan.entries()) {
    await pause(Math.max(0, startMs + (options.forMs * (index + random())) / plan.length - performance.now()))
    await make(trouble, options, random)
    counts[trouble]++
  }
  await options.victims.gone()
  return counts
}

async function make(trouble: Trouble, { server, proxy, victims }: TroubleOptions, random: () => number): Promise<void> {
  switch (trouble) {
    case 'kill of a worker':
      return killOne(victims, 'worker', random)
    case 'kill of a pool child':
      return killOne(victims, 'child', random)
    case 'restart after SIGTERM':
      await server.stop()
      break
    case 'restart after SIGKILL':
      await server.kill()
      break
    case 'cut at the proxy':
      return proxy.cut()
    case 'CLIENT KILL TYPE normal':
    case 'CLIENT KILL TYPE pubsub':
    case 'SCRIPT FLUSH':
    case 'DEBUG SLEEP 3':
      return command(server, trouble.split(' '))
  }
  await pause(random() * LONGEST_AWAY_MS)
  await server.restart()
}

async function command(server: RedisServer, words: string[]): Promise<void> {
  const client = await server.client()
  await client.sendCommand(words)
  client.destroy()
}

/** Of those there are at that moment; when all have just ended, of the next ones. */
async function killOne(victims: Victims, kind: Kind, random: () => number): Promise<void> {
  await until(() => victims.kill(kind, oneOf(victims.living()[kind], random)) || undefined, () => `a ${kind} to kill`, 10_000)
}

function shuffled<T>(all: T[], random: () => number): T[] {
  const left = [...all]
  return all.map(() => left.splice(Math.floor(random() * left.length), 1)[0] as T)
}

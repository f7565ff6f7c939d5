import { randomUUID } from 'node:crypto'

import type { Broker, Subscription } from '../broker.ts'
import type { Clock } from '../internal/clock.ts'

/** Channel that every worker listens on; Celery's exchange of the same name. */
export const CONTROL_CHANNEL = 'celery.pidbox'

/** A remote command as it travels. @see Celery `kombu/pidbox.py` */
export interface Command {
  readonly method: string
  readonly arguments: Readonly<Record<string, unknown>>
  /** Node names it is for; null: every node. */
  readonly destination: readonly string[] | null
  /** Where the answer goes; absent when none is wanted. */
  readonly replyTo: string | undefined
}

export interface BroadcastOptions {
  readonly destination?: readonly string[]
}

export interface AskOptions extends BroadcastOptions {
  /** How long to gather replies. */
  readonly timeoutMs: number
  /** Node names to expect: gathering ends when all of them have replied. */
  readonly expect?: readonly string[]
}

/** Sends a command to the workers without waiting for anything. */
export async function broadcastCommand(
  broker: Broker,
  method: string,
  args: Readonly<Record<string, unknown>>,
  options: BroadcastOptions = {},
): Promise<void> {
  await broker.broadcast(CONTROL_CHANNEL, JSON.stringify({ method, arguments: args, destination: options.destination ?? null }))
}

/** Sends a command and gathers the replies by node name until all expected ones are there or time is over. */
export async function askWorkers(
  broker: Broker,
  clock: Clock,
  method: string,
  args: Readonly<Record<string, unknown>>,
  options: AskOptions,
): Promise<Record<string, unknown>> {
  const ticket = randomUUID()
  const channel = `reply.${CONTROL_CHANNEL}.${ticket}`
  const replies: Record<string, unknown> = {}
  const waitingFor = new Set(options.expect)
  const { promise, resolve } = Promise.withResolvers<void>()
  const subscription = await broker.subscribe(channel, (payload) => {
    for (const [node, reply] of Object.entries(JSON.parse(payload) as Record<string, unknown>)) {
      replies[node] = reply
      waitingFor.delete(node)
    }
    if (options.expect !== undefined && waitingFor.size === 0) resolve()
  })
  const timer = clock.after(options.timeoutMs, resolve, { keepAlive: true })
  try {
    if (options.expect === undefined || waitingFor.size > 0) {
      await broker.broadcast(
        CONTROL_CHANNEL,
        JSON.stringify({
          method,
          arguments: args,
          destination: options.destination ?? null,
          ticket,
          reply_to: { exchange: `reply.${CONTROL_CHANNEL}`, routing_key: channel },
        }),
      )
      await promise
    }
    return Object.fromEntries(Object.entries(replies).sort(([a], [b]) => a.localeCompare(b)))
  } finally {
    timer.cancel()
    await subscription.close()
  }
}

/** Hears the commands for `node` and answers those that want an answer. */
export function serveCommands(broker: Broker, node: string, run: (command: Command) => Promise<unknown>): Promise<Subscription> {
  const serve = async (payload: string): Promise<void> => {
    const command = readCommand(payload)
    if (command === undefined || (command.destination !== null && !command.destination.includes(node))) return
    const reply = await run(command)
    if (command.replyTo !== undefined) await broker.broadcast(command.replyTo, JSON.stringify({ [node]: reply }))
  }
  return broker.subscribe(CONTROL_CHANNEL, (payload) => {
    // A reply that cannot be sent has nobody left to hear of it; the asker's time runs out.
    serve(payload).catch(() => {})
  })
}

/** Celery takes one name for a list of one. */
function readDestination(destination: unknown): readonly string[] | null {
  if (typeof destination === 'string') return [destination]
  return Array.isArray(destination) ? destination.map(String) : null
}

/** Anything may be written to the channel; what is no command is passed over. */
function readCommand(payload: string): Command | undefined {
  try {
    const raw = JSON.parse(payload) as { method?: unknown; arguments?: unknown; destination?: unknown; reply_to?: { routing_key?: unknown } | null }
    if (typeof raw.method !== 'string') return undefined
    const replyTo = raw.reply_to?.routing_key
    return {
      method: raw.method,
      arguments: typeof raw.arguments === 'object' && raw.arguments !== null ? { ...raw.arguments } : {},
      destination: readDestination(raw.destination),
      replyTo: typeof replyTo === 'string' ? replyTo : undefined,
    }
  } catch {
    return undefined
  }
}

import { ImproperlyConfigured } from '../../errors.ts'

/** What one argument of a command may be. */
export type RedisArgument = string | Buffer

/** How a reply is read; see {@link AS_BYTES}. */
export interface ReplyOptions {
  readonly typeMapping?: object
}

/** The part of a node-redis client that we use. Its own types stay out of ours: the package may not be installed. */
export interface RedisClient {
  /** Commands of one turn of the event loop go out together. */
  sendCommand(args: readonly RedisArgument[], options?: ReplyOptions): Promise<unknown>
  multi(): RedisMulti
  /** Resolves when the server has confirmed. `asBytes`: the listener takes bytes, else text. */
  subscribe(channels: readonly string[], listener: MessageListener, asBytes?: boolean): Promise<void>
  /** With the listener that subscribed; without it, a subscription made meanwhile would end too. */
  unsubscribe(channels: readonly string[], listener: MessageListener, asBytes?: boolean): Promise<void>
  /** As `subscribe`, for all channels that a glob pattern matches. */
  pSubscribe(pattern: string, listener: MessageListener, asBytes?: boolean): Promise<void>
  pUnsubscribe(pattern: string, listener: MessageListener, asBytes?: boolean): Promise<void>
}

/** Hears what is published on a channel; both are text, or both bytes, as whoever subscribes has asked. */
export type MessageListener = (message: never, channel: never) => void

/** Commands that are run as one: MULTI, EXEC. */
export interface RedisMulti {
  addCommand(args: readonly RedisArgument[]): this
  exec(): Promise<unknown[]>
}

/** The rest of a client, for those who open and close it. */
export interface OpenableRedisClient extends RedisClient {
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'invalidate', listener: (key: string | Buffer | null) => void): unknown
  readonly isReady: boolean
  connect(): Promise<unknown>
  /** Rejects what is under way. See {@link discard}. */
  destroy(): void
  ref(): void
  unref(): void
}

/** The part of the package `redis` that we use. */
export interface RedisPackage {
  createClient(options: object): OpenableRedisClient
  /** What the server answered with an error. */
  readonly ErrorReply: abstract new (...args: never[]) => Error
}

/** Ends a client, in whatever state it is: some versions of node-redis refuse one that has ended by itself. */
export function discard(client: OpenableRedisClient): void {
  try {
    client.destroy()
  } catch {
    // It is gone already.
  }
}

const BULK_STRING = '$'.charCodeAt(0)

/** Makes the strings of a reply come as bytes, whatever they hold. */
export const AS_BYTES: ReplyOptions = { typeMapping: { [BULK_STRING]: Buffer } }

/** The package as it is. Its own `createClient` makes a class with all commands each time, which takes milliseconds; a duplicate shares it. */
interface NodeRedis extends Pick<RedisPackage, 'ErrorReply'> {
  readonly createClient: (options: object) => { duplicate(options: object): OpenableRedisClient }
}

let loaded: RedisPackage | undefined

/**
 * Loads the package `redis`, which applications on another broker need not have.
 * @param name - begins the error message, e.g. `The broker "redis://localhost"`.
 * @throws {@link ImproperlyConfigured} when it is not installed.
 */
export async function loadRedis(name: string): Promise<RedisPackage> {
  if (loaded !== undefined) return loaded
  try {
    const { createClient, ErrorReply } = (await import('redis')) as unknown as NodeRedis
    const model = createClient({ RESP: 3 })
    return (loaded = { createClient: (options) => model.duplicate(options), ErrorReply })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new ImproperlyConfigured([`${name} needs the package "redis". Install it: npm install redis`], { cause })
  }
}

import { createHash } from 'node:crypto'
import type { RedisArgument, RedisClient, ReplyOptions } from './client.ts'

/** A Lua script that the server runs as one step. Runs of one turn of the event loop go out together. */
export class RedisScript {
  readonly #source: string
  readonly #sha1: string

  constructor(source: string) {
    this.#source = source
    this.#sha1 = createHash('sha1').update(source).digest('hex')
  }

  /** Runs it by its hash; a server that has forgotten it, or never knew it, is sent the source. */
  async run(client: RedisClient, keys: readonly string[], args: readonly (RedisArgument | Uint8Array | number)[], options?: ReplyOptions): Promise<unknown> {
    const rest: RedisArgument[] = [String(keys.length), ...keys]
    for (const arg of args) rest.push(toArgument(arg))
    try {
      return await client.sendCommand(['EVALSHA', this.#sha1, ...rest], options)
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return client.sendCommand(['EVAL', this.#source, ...rest], options)
    }
  }
}

function toArgument(arg: RedisArgument | Uint8Array | number): RedisArgument {
  if (typeof arg === 'string' || Buffer.isBuffer(arg)) return arg
  return typeof arg === 'number' ? String(arg) : Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength)
}

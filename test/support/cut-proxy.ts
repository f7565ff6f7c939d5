import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** What a cut connection may take until something comes that can be cut in two. */
const MIDDLE_WAIT_MS = 200

/** A proxy to a port of 127.0.0.1 whose connections can be cut in the middle of a reply. */
export class CutProxy {
  readonly port: number
  /** How many connections ended within a reply, and how many between two. */
  readonly cuts: { within: number; between: number } = { within: 0, between: 0 }
  readonly #server: Server
  readonly #pairs = new Set<Pair>()

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  static async start(target: number): Promise<CutProxy> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const proxy = new CutProxy(server)
    server.on('connection', (client) => proxy.#join(client, connect({ port: target, host: '127.0.0.1', noDelay: true })))
    return proxy
  }

  get connections(): number {
    return this.#pairs.size
  }

  /** Ends every connection: after half of what the server says next, or soon if it says nothing. Resolves when all have ended. */
  async cut(): Promise<void> {
    await Promise.all([...this.#pairs].map(async (pair) => this.cuts[await pair.cut()]++))
  }

  async close(): Promise<void> {
    this.#server.close()
    for (const pair of this.#pairs) pair.end()
    await once(this.#server, 'close')
  }

  #join(client: Socket, server: Socket): void {
    const pair = new Pair(client, server)
    this.#pairs.add(pair)
    void pair.ended.then(() => this.#pairs.delete(pair))
  }
}

/** A client's connection and the one that was made for it. */
class Pair {
  readonly ended: Promise<unknown>
  readonly #client: Socket
  readonly #server: Socket
  readonly #halved = Promise.withResolvers<'within'>()
  #isToCut = false

  constructor(client: Socket, server: Socket) {
    this.#client = client
    this.#server = server
    this.ended = Promise.all([client, server].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    for (const socket of [client, server]) {
      socket.on('error', () => {})
      socket.once('close', () => this.end())
    }
    client.on('data', (chunk) => pass(chunk, client, server))
    server.on('data', (chunk) => this.#reply(chunk))
  }

  async cut(): Promise<'within' | 'between'> {
    this.#isToCut = true
    const late = setTimeout(() => this.end(), MIDDLE_WAIT_MS)
    const how = await Promise.race([this.#halved.promise, this.ended.then(() => 'between' as const)])
    clearTimeout(late)
    await this.ended
    return how
  }

  end(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  #reply(chunk: Buffer): void {
    if (!this.#isToCut) return pass(chunk, this.#server, this.#client)
    this.#server.removeAllListeners('data')
    this.#halved.resolve('within')
    this.#client.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => this.end())
  }
}

function pass(chunk: Buffer, from: Socket, to: Socket): void {
  if (to.write(chunk)) return
  from.pause()
  to.once('drain', () => from.resume())
}

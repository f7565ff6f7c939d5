import type { RedisAddress, RedisHost, RedisSentinels, RedisSocket } from './address.ts'
import { discard, type OpenableRedisClient, type RedisPackage } from './client.ts'
import { before, type Deadline } from './deadline.ts'
import { Fault } from './faults.ts'
import { masterOf } from './sentinel.ts'
import { type RedisTls, tlsSocketOptions } from './tls.ts'

/** How connections are made. */
export interface DialOptions {
  readonly redis: RedisPackage
  readonly clientName: string
  /** Asks for invalidations of the keys that are read. A server that refuses is used without. */
  readonly tracking: boolean
  readonly socketKeepAlive: boolean
}

/** A connection that the server answers on. */
export interface Dialled {
  readonly client: OpenableRedisClient
  /** By how much the server's clock is ahead of this machine's. */
  readonly skewMs: number
}

type Place = RedisHost | RedisSocket
type Login = Pick<RedisAddress, 'database' | 'username' | 'password' | 'tls'>

/** Makes one connection: asks the sentinels if there are any, says who we are, and sees that the server is ready to work. */
export async function dial(address: RedisAddress, options: DialOptions, deadline: Deadline): Promise<Dialled> {
  const { at } = address
  if (!('sentinels' in at)) return prove(await open(at, address, options, deadline), false, deadline)

  const master = await askSentinels(at, options, deadline)
  return prove(await open(master, address, options, deadline), true, deadline)
}

async function open(place: Place, login: Login, options: DialOptions, deadline: Deadline): Promise<OpenableRedisClient> {
  try {
    return await openOnce(place, login, options, deadline)
  } catch (error) {
    if (!options.tracking || !(error instanceof options.redis.ErrorReply) || !/tracking/i.test(error.message)) throw error
    return openOnce(place, login, { ...options, tracking: false }, deadline)
  }
}

async function openOnce(place: Place, login: Login, options: DialOptions, deadline: Deadline): Promise<OpenableRedisClient> {
  const client = options.redis.createClient({
    RESP: 3,
    name: options.clientName,
    database: login.database,
    username: login.username,
    password: login.password,
    // Each reconnection is a client of its own: the sentinels are asked anew, and no command is sent a second time unasked.
    socket: { ...place, ...tlsOf(login.tls), reconnectStrategy: false, connectTimeout: deadline.timeoutMs, keepAlive: options.socketKeepAlive },
    emitInvalidate: options.tracking,
    commandOptions: { timeout: undefined },
    disableClientInfo: true,
    maintNotifications: 'disabled',
  })
  client.on('error', () => {})
  if (!deadline.keepAlive) client.unref()

  const connecting = client.connect()
  try {
    await before(connecting, deadline, login.tls && 'Look at the server and the network; if it does not speak TLS, use "redis://".')
    // Of what a connection changes itself it knows. A server that cannot leave it out tells it all the same.
    const isRefusal = (error: unknown): boolean => error instanceof options.redis.ErrorReply
    if (options.tracking) await before(client.sendCommand(['CLIENT', 'TRACKING', 'ON', 'NOLOOP']).catch(unless(isRefusal)), deadline)
    return client
  } catch (error) {
    discard(client)
    // One that is still looking up a name cannot be stopped before.
    connecting.then(() => discard(client), () => {})
    throw error
  }
}

function tlsOf(tls: RedisTls | undefined): object {
  return tls === undefined ? {} : tlsSocketOptions(tls)
}

/** Sees that the server answers, and as a master where it has to be one; measures its clock on the way. */
async function prove(client: OpenableRedisClient, mustBeMaster: boolean, deadline: Deadline): Promise<Dialled> {
  const startedMs = Date.now()
  try {
    const allowed = (args: string[]): Promise<unknown> => client.sendCommand(args).catch(unlessForbidden)
    const [, time, role] = await before(Promise.all([allowed(['PING']), allowed(['TIME']), mustBeMaster ? allowed(['ROLE']) : undefined]), deadline)
    if (Array.isArray(role) && role[0] !== 'master') throw new Fault('is a replica: the sentinels have not agreed on a new master yet. Wait until they have.')
    return { client, skewMs: skewOf(time, startedMs) }
  } catch (error) {
    discard(client)
    throw error
  }
}

/** A user with few permissions needs none of these commands. */
const unlessForbidden = unless((error) => error instanceof Error && error.message.startsWith('NOPERM'))

/** Passes over an error that is expected. */
function unless(isExpected: (error: unknown) => boolean): (error: unknown) => undefined {
  return (error) => {
    if (!isExpected(error)) throw error
    return undefined
  }
}

function skewOf(time: unknown, startedMs: number): number {
  if (!Array.isArray(time)) return 0
  const [seconds, microseconds] = time.map(Number)
  return (seconds ?? 0) * 1000 + (microseconds ?? 0) / 1000 - (startedMs + Date.now()) / 2
}

async function askSentinels(at: RedisSentinels, options: DialOptions, deadline: Deadline): Promise<RedisHost> {
  const login = { database: 0, username: at.username, password: at.password, tls: at.tls }
  // So that a sentinel that does not answer leaves time for the others, and for the master.
  const share = { ...deadline, timeoutMs: deadline.timeoutMs / (at.sentinels.length + 1) }
  return masterOf(at, async (sentinel, ask) => {
    const client = await openOnce(sentinel, login, { ...options, tracking: false }, share)
    try {
      return await before(ask(client), share)
    } finally {
      discard(client)
    }
  })
}

import { RedisConnection } from '../../../src/internal/redis/connection.ts'
import { RedisSubscriber } from '../../../src/internal/redis/subscriber.ts'
import { connectionOptions } from './fixture.ts'

/** A process of its own that uses a Redis as it is told, and says what happens, a line each. */
const [what = '', url = ''] = process.argv.slice(2)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const connection = new RedisConnection(connectionOptions(url, { tracking: true, connectionTimeoutMs: 3000 }))
const subscriber = new RedisSubscriber(connectionOptions(url, { connectionTimeoutMs: 3000 }))
connection.onChange((fault) => say(fault === undefined ? 'back' : 'lost'))

if (what === 'connect') {
  await connection.connect().catch((error: unknown) => say(`${(error as Error).name}: ${(error as Error).message}`))
} else {
  await connection.connect()
  await subscriber.subscribe('news', (message) => say(message))
  say('ready')
}

if (what === 'wait') {
  say(String(await connection.run((client) => client.sendCommand(['BLPOP', 'queue', '0']))))
} else if (what === 'release') {
  connection.ref()
  connection.onChange(() => connection.unref())
} else if (what === 'hold') {
  connection.ref()
} else if (what === 'work') {
  // As a worker does: something is always under way, and nobody looks at what became of it but by a handler.
  const work = async (): Promise<void> => {
    await Promise.allSettled(Array.from({ length: 200 }, () => connection.run((client) => client.multi().addCommand(['INCR', 'n']).addCommand(['GET', 'n']).exec())))
    setImmediate(() => void work())
  }
  for (let times = 0; times < 3; times++) void work()
}

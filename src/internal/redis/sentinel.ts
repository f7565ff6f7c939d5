import type { RedisHost, RedisSentinels } from './address.ts'
import type { RedisClient } from './client.ts'
import { describeFault, Fault } from './faults.ts'

/** Puts a question to one sentinel. */
export type AskSentinel = <T>(sentinel: RedisHost, question: (client: RedisClient) => Promise<T>) => Promise<T>

/** Asks the sentinels in turn for the master. Rejects with what each of them said when none knows it. */
export async function masterOf(at: RedisSentinels, ask: AskSentinel): Promise<RedisHost> {
  const answers: string[] = []
  for (const sentinel of at.sentinels) {
    try {
      return await ask(sentinel, (client) => masterAccordingTo(client, at))
    } catch (error) {
      answers.push(`${sentinel.host}:${sentinel.port} ${describeFault(error).replace(/\.$/, '')}`)
    }
  }
  throw new Fault(`has no master ${JSON.stringify(at.masterName)} that a sentinel knows: ${answers.join('; ')}. Look at the sentinels, and at "masterName".`)
}

async function masterAccordingTo(client: RedisClient, { masterName, minOtherSentinels }: RedisSentinels): Promise<RedisHost> {
  if (minOtherSentinels > 0) await expectOtherSentinels(client, masterName, minOtherSentinels)
  const answer = await client.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName])
  if (!Array.isArray(answer)) throw new Fault('does not know it')
  return { host: String(answer[0]), port: Number(answer[1]) }
}

/** A sentinel that is cut off from the others may name a master that was replaced. */
async function expectOtherSentinels(client: RedisClient, masterName: string, least: number): Promise<void> {
  const state = await client.sendCommand(['SENTINEL', 'MASTER', masterName])
  const others = Number(entriesOf(state).get('num-other-sentinels'))
  if (!(others >= least)) throw new Fault(`knows of ${others} other sentinels, and "minOtherSentinels" is ${least}`)
}

/** The reply is a map in RESP 3, which comes as an object, and a flat list before. */
function entriesOf(reply: unknown): Map<string, unknown> {
  if (!Array.isArray(reply)) return new Map(Object.entries(reply ?? {}))
  return new Map(reply.flatMap((name, index) => (index % 2 === 0 ? [[String(name), reply[index + 1] as unknown]] : [])))
}

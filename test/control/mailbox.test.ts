import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { Broker, Subscription } from '../../src/broker.ts'
import { askWorkers, broadcastCommand, type Command, CONTROL_CHANNEL, serveCommands } from '../../src/control/mailbox.ts'
import { memoryBroker } from '../services/support.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { within } from '../support/within.ts'

let clock: ManualClock
let broker: Broker
const served: Subscription[] = []

beforeEach(async () => {
  clock = new ManualClock()
  broker = await memoryBroker(clock)
})

afterEach(async () => {
  for (const subscription of served.splice(0)) await subscription.close()
  await broker.close()
})

/** A node that answers every command with its name, and keeps what it got. */
async function node(name: string, answer: (command: Command) => Promise<unknown> = async () => ({ ok: name })): Promise<Command[]> {
  const heard: Command[] = []
  served.push(
    await serveCommands(broker, name, (command) => {
      heard.push(command)
      return answer(command)
    }),
  )
  return heard
}

describe('asking the workers', () => {
  test('gathers the replies by node name, in order of name', async () => {
    await node('b@host')
    await node('a@host')

    const replies = await within(askWorkers(broker, clock, 'ping', {}, { timeoutMs: 1_000, expect: ['a@host', 'b@host'] }), 'the replies')

    expect(Object.entries(replies)).toEqual([
      ['a@host', { ok: 'a@host' }],
      ['b@host', { ok: 'b@host' }],
    ])
    expect(clock.timers).toBe(0)
  })

  test('of nobody ends at once', async () => {
    expect(await within(askWorkers(broker, clock, 'ping', {}, { timeoutMs: 1_000, expect: [] }), 'no reply')).toEqual({})
  })

  test('without names to expect waits for the whole time', async () => {
    const heard = await node('a@host')
    let ended = false
    const asking = askWorkers(broker, clock, 'ping', {}, { timeoutMs: 1_000 }).finally(() => (ended = true))
    await expect.poll(() => heard.length).toBe(1)
    expect(ended).toBe(false)

    clock.advance(1_000)

    expect(await within(asking, 'the replies')).toEqual({ 'a@host': { ok: 'a@host' } })
  })

  test('does not wait longer for one that is silent', async () => {
    await node('a@host')
    const silent = await node('silent@host', () => new Promise(() => {}))
    const asking = askWorkers(broker, clock, 'ping', {}, { timeoutMs: 1_000, expect: ['a@host', 'silent@host'] })
    await expect.poll(() => silent.length).toBe(1)

    clock.advance(1_000)

    expect(Object.keys(await within(asking, 'the replies'))).toEqual(['a@host'])
  })

  test('reaches the named nodes only', async () => {
    const a = await node('a@host')
    const b = await node('b@host')

    await within(askWorkers(broker, clock, 'ping', { x: 1 }, { timeoutMs: 1_000, expect: ['b@host'], destination: ['b@host'] }), 'the reply')

    expect(a).toEqual([])
    expect(b).toMatchObject([{ method: 'ping', arguments: { x: 1 }, destination: ['b@host'] }])
  })
})

test('a command without a reply is carried out, and nothing is answered', async () => {
  const heard = await node('a@host')

  await broadcastCommand(broker, 'revoke', { task_id: 'id' })

  await expect.poll(() => heard).toMatchObject([{ method: 'revoke', arguments: { task_id: 'id' }, destination: null, replyTo: undefined }])
})

test('a destination that is one name, as Celery takes it, is for that node', async () => {
  const [a, b] = [await node('a@host'), await node('b@host')]

  for (const destination of ['b@host', ['a@host', 'b@host'], 'c@host']) await broker.broadcast(CONTROL_CHANNEL, JSON.stringify({ method: 'ping', destination }))
  await broadcastCommand(broker, 'revoke', {})

  await expect.poll(() => [a.length, b.length]).toEqual([2, 3])
})

test('what is no command is passed over, and the next one is carried out', async () => {
  const heard = await node('a@host')

  for (const payload of ['', 'no json', 'null', '5', '[]', '{}', '{"method":5}', '{"method":"ping","arguments":null,"destination":5,"reply_to":5}']) {
    await broker.broadcast(CONTROL_CHANNEL, payload)
  }
  await broadcastCommand(broker, 'ping', {})

  await expect.poll(() => heard.length).toBe(2)
  expect(heard).toMatchObject([{ method: 'ping', arguments: {}, destination: null }, { method: 'ping' }])
})

test('a command that fails leaves the node listening', async () => {
  const heard = await node('a@host', () => Promise.reject(new Error('on purpose')))

  await broadcastCommand(broker, 'ping', {})
  await broadcastCommand(broker, 'ping', {})

  await expect.poll(() => heard.length).toBe(2)
})

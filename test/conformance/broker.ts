import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Broker, Delivery } from '../../src/broker.ts'
import { joinBody } from '../../src/protocol/body.ts'
import { MessageForm } from '../../src/protocol/message-form.ts'
import { newTaskId } from '../../src/protocol/task-id.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { turn, within } from '../support/within.ts'
import { collect, expectNothingMore, idOf, publication, publications, type BrokerFixture } from './broker-fixture.ts'

/** Holds a driver to the promises of `Broker` that can be seen from within one process. */
export function testBroker(name: string, setUp: () => Promise<BrokerFixture>): void {
  describe(`broker ${name}`, () => {
    let fixture: BrokerFixture
    let broker: Broker

    beforeEach(async () => {
      fixture = await setUp()
      broker = await fixture.open()
    })

    afterEach(() => fixture.dispose())

    test('delivers a message as it was published', async () => {
      const sent = publication('one').message
      const bytes = { ...publication('two').message, body: new Uint8Array([0, 255, 10, 0]), contentEncoding: 'binary' }
      const odd = { ...publication('three').message, body: 'nul \0, emoji \u{1f980}, newline \n', headers: { id: 'three', nested: { list: [1, null, 'x'] }, __proto__: null } }
      await broker.publish([sent, bytes, odd].map((message) => ({ queue: 'q', message })))

      const deliveries = await (await collect(broker)).received(3)

      expect(deliveries[0]?.message).toEqual(sent)
      expect(Buffer.from(deliveries[1]?.message.body ?? '')).toEqual(Buffer.from([0, 255, 10, 0]))
      expect(deliveries[2]?.message.body).toBe(odd.body)
      expect(deliveries[2]?.message.headers).toEqual({ id: 'three', nested: { list: [1, null, 'x'] } })
      expect(deliveries[0]?.queue).toBe('q')
      expect(deliveries[0]?.losses).toBe(0)
      expect(Math.abs((deliveries[0]?.publishedAtMs ?? 0) - Date.now())).toBeLessThan(60_000)
    })

    test('delivers a message of a form as any other', async () => {
      const form = MessageForm.build({ task: 'add', queue: 'q', origin: 'gen1@test', replyTo: 'reply', headers: { 'x-mine': [1] } })
      const message = form.message(newTaskId(Date.now()), '(1, 2)', joinBody('[1,2]', '{}'))
      message.signature = 'v1.signature'
      await broker.publish([{ queue: 'q', message }])

      const [delivery] = await (await collect(broker)).received(1)

      const { body, contentEncoding, contentType, headers, properties } = message
      expect(delivery?.message).toEqual({ body, contentType, contentEncoding, headers, properties })
    })

    test('connects once however often it is asked, and closes twice', async () => {
      await broker.connect()
      await broker.connect()
      await broker.publish([publication('x')])

      await Promise.all([broker.close(), broker.close()])
      await broker.close()

      await expect(broker.publish([publication('y')])).rejects.toThrow('closed')
    })

    test('delivers in the order of publication within a queue', async () => {
      await broker.publish(publications(250))
      const collector = await collect(broker, { prefetch: 30, onDelivery: (delivery) => void delivery.ack() })

      await collector.received(250)

      expect(collector.ids()).toEqual(publications(250).map(({ message }) => message.headers['id']))
    })

    test('delivers higher priorities first, and equal ones oldest first', async () => {
      await broker.publish([publication('low'), publication('mid', { priority: 4 }), publication('high', { priority: 9 }), publication('mid2', { priority: 4 })])

      const collector = await collect(broker)
      await collector.received(4)

      expect(collector.ids()).toEqual(['high', 'mid', 'mid2', 'low'])
    })

    test('puts an urgent message before older ones that are still waiting', async () => {
      await broker.publish(publications(5))
      const collector = await collect(broker, { prefetch: 1 })
      const [first] = await collector.received(1)
      await broker.publish([publication('urgent', { priority: 9 })])

      await first?.ack()
      await collector.received(2)

      expect(collector.ids()).toEqual(['m0', 'urgent'])
    })

    test('takes turns between queues, so that a full one does not starve another', async () => {
      await broker.publish(publications(50, { queue: 'full' }))
      await broker.publish([publication('other', { queue: 'other' })])

      const collector = await collect(broker, { queues: ['full', 'other'], prefetch: 4 })
      await collector.received(4)

      expect(collector.ids()).toContain('other')
    })

    test('gives a consumer only the queues it asked for', async () => {
      await broker.publish([publication('a', { queue: 'a' }), publication('b', { queue: 'b' })])
      const collector = await collect(broker, { queues: ['b'] })

      await collector.received(1)
      await broker.publish([publication('b2', { queue: 'b' })])
      await collector.received(2)

      expect(collector.ids()).toEqual(['b', 'b2'])
    })

    test('delivers to a consumer that was waiting when the message came', async () => {
      const collector = await collect(broker)
      await turn()

      await broker.publish([publication('late')])

      expect((await collector.received(1)).map(idOf)).toEqual(['late'])
    })

    test('accepts all or none of one call', async () => {
      const bad = publication('bad')
      const unwritable = { ...bad, message: { ...bad.message, headers: { id: 1n } } }

      if (broker.supports.durable) await expect(broker.publish([publication('good'), unwritable])).rejects.toThrow(TypeError)
      await broker.publish([publication('after')])

      expect((await broker.depth('q')).ready).toBe(1)
    })

    test('accepts thousands of calls made in one turn', async () => {
      await Promise.all(publications(5000).map((one) => broker.publish([one])))

      expect((await broker.depth('q')).ready).toBe(5000)
    })

    test('accepts an empty call', async () => {
      await broker.publish([])

      expect(await broker.queues()).toEqual([])
    })

    test('never has more deliveries out than the prefetch, which may change', async () => {
      await broker.publish(publications(300))
      let out = 0
      let most = 0
      const collector = await collect(broker, {
        prefetch: 7,
        onDelivery: (delivery) => {
          most = Math.max(most, (out += 1))
          setImmediate(() => {
            out -= 1
            void delivery.ack()
          })
        },
      })
      await collector.received(150)
      expect(most).toBe(7)

      collector.consumer.setPrefetch(20)
      await collector.received(300)

      expect(most).toBeLessThanOrEqual(20)
      expect(most).toBeGreaterThan(7)
    })

    test('claims nothing at prefetch 0 until it is raised', async () => {
      await broker.publish(publications(3))
      const collector = await collect(broker, { prefetch: 0 })
      await turn()
      expect(collector.deliveries).toEqual([])

      collector.consumer.setPrefetch(3)

      await collector.received(3)
    })

    test('counts what is ready, out, parked and dead', async () => {
      await broker.publish([...publications(4), publication('later', { dueAtMs: Date.now() + 3_600_000 })])
      const collector = await collect(broker, { prefetch: 2 })
      const [first] = await collector.received(2)
      await first?.reject('refused', 'no')
      await collector.received(3)

      expect(await broker.depth('q')).toEqual({ ready: 1, unacked: 2, parked: 1, dead: 1 })
      expect(await broker.depth('nobody wrote here')).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
    })

    test('lists every queue that holds a message in any state', async () => {
      await broker.publish([publication('r', { queue: 'ready' }), publication('o', { queue: 'out' }), publication('d', { queue: 'dead' })])
      await broker.publish([publication('p', { queue: 'parked', dueAtMs: Date.now() + 3_600_000 })])
      const [dead] = await (await collect(broker, { queues: ['dead'] })).received(1)
      await dead?.reject('refused', 'no')
      await (await collect(broker, { queues: ['out'] })).received(1)

      expect(await broker.queues()).toEqual(['dead', 'out', 'parked', 'ready'])
    })

    test('forgets an acknowledged message', async () => {
      await broker.publish([publication('one')])
      const collector = await collect(broker)
      const [delivery] = await collector.received(1)

      await delivery?.ack()
      await collector.consumer.close()

      expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
    })

    test('settles a delivery once, whatever is called later', async () => {
      await broker.publish([publication('one')])
      const collector = await collect(broker)
      const [delivery] = await collector.received(1)

      await delivery?.ack()
      await delivery?.requeue()
      await delivery?.reject('refused', 'no')
      await delivery?.ack()

      expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 0, parked: 0, dead: 0 })
    })

    test('keeps a rejected message with its reason, the newest first', async () => {
      await broker.publish(publications(3))
      for (const delivery of await (await collect(broker)).received(3)) await delivery.reject('unknown-task', `no task ${idOf(delivery)}`)

      const letters = await broker.deadLetters()

      expect(letters.map(({ detail }) => detail)).toEqual(['no task m2', 'no task m1', 'no task m0'])
      expect(letters[0]).toMatchObject({ queue: 'q', reason: 'unknown-task', message: publication('m2').message })
      expect(await broker.deadLetters({ limit: 1 })).toHaveLength(1)
      expect(await broker.deadLetters({ queue: 'elsewhere' })).toEqual([])
      expect(await broker.deadLetters({ queue: 'q', limit: 2 })).toHaveLength(2)
    })

    test('puts a requeued message back in its old place', async () => {
      await broker.publish(publications(4))
      const collector = await collect(broker, { prefetch: 1 })
      const [first] = await collector.received(1)

      await first?.requeue()
      const [, again] = await collector.received(2)

      expect(collector.ids()).toEqual(['m0', 'm0'])
      expect(again?.losses).toBe(0)
    })

    test('counts a requeue as a loss only when told so', async () => {
      await broker.publish([publication('one')])
      const collector = await collect(broker)
      const [first] = await collector.received(1)
      await first?.begun()
      await first?.requeue()
      const [, second] = await collector.received(2)
      await second?.requeue({ lost: true })
      const [, , third] = await collector.received(3)
      await third?.requeue({ lost: true })

      const deliveries = await collector.received(4)

      expect(deliveries.map(({ losses }) => losses)).toEqual([0, 0, 1, 2])
    })

    test('puts an oversized message into the dead letters and says so', async () => {
      const strict = await fixture.open({ maxMessageSize: 1000 })
      const message = { ...publication('big').message, body: 'é'.repeat(501) }
      await strict.publish([{ queue: 'q', message }, publication('small')])

      const collector = await collect(strict)
      await collector.received(1)

      expect(collector.ids()).toEqual(['small'])
      expect(collector.letters).toMatchObject([{ queue: 'q', reason: 'malformed', message: { ...message, body: '' } }])
      expect(await strict.deadLetters()).toEqual(collector.letters)
      expect(collector.letters[0]?.detail).toContain('1002 bytes')
      expect(await strict.depth('q')).toEqual({ ready: 0, unacked: 1, parked: 0, dead: 1 })
    })

    test('purges what waits and what is parked, and leaves what is out', async () => {
      await broker.publish(publications(2500))
      await broker.publish(publications(10, { dueAtMs: Date.now() + 3_600_000 }))
      await broker.publish([publication('other', { queue: 'other' })])
      const collector = await collect(broker, { prefetch: 1 })
      await collector.received(1)

      expect(await broker.purge('q')).toBe(2509)
      expect(await broker.purge('q')).toBe(0)

      expect(await broker.depth('q')).toEqual({ ready: 0, unacked: 1, parked: 0, dead: 0 })
      expect((await broker.depth('other')).ready).toBe(1)
    })

    test('stops fetching when paused, and what is out may still be settled', async () => {
      await broker.publish(publications(3))
      const collector = await collect(broker, { prefetch: 2 })
      const deliveries = await collector.received(2)

      await collector.consumer.pause()
      for (const delivery of deliveries) await delivery.ack()
      await turn()

      expect(collector.deliveries).toHaveLength(2)
      expect(await broker.depth('q')).toEqual({ ready: 1, unacked: 0, parked: 0, dead: 0 })
    })

    test('gives back what is out when a consumer closes, without counting a loss, and settles it no more', async () => {
      await broker.publish(publications(3))
      const collector = await collect(broker)
      const [first] = await collector.received(3)
      await first?.begun()

      await collector.consumer.close()
      await collector.consumer.close()
      await first?.ack()

      expect(await broker.depth('q')).toEqual({ ready: 3, unacked: 0, parked: 0, dead: 0 })
      expect((await (await collect(broker)).received(3)).map(({ losses }) => losses)).toEqual([0, 0, 0])
    })

    test('holds a delivery until it is settled, or its consumer closes', async () => {
      await broker.publish(publications(3))
      const collector = await collect(broker)
      const deliveries = await collector.received(3)
      const held = (): boolean[] => deliveries.map(({ isHeld }) => isHeld)
      expect(held()).toEqual([true, true, true])

      const acknowledged = deliveries[0]?.ack()
      expect(held()).toEqual([false, true, true])
      await acknowledged
      await deliveries[1]?.requeue({ delayMs: 3_600_000 })
      expect(held()).toEqual([false, false, true])
      await collector.consumer.close()

      expect(held()).toEqual([false, false, false])
    })

    test('shows who consumes until they close', async () => {
      const collector = await collect(broker, { queues: ['a', 'b'], name: 'worker1@here' })

      expect(await broker.consumers()).toMatchObject([{ id: collector.consumer.id, name: 'worker1@here', pid: process.pid, queues: ['a', 'b'] }])
      await collector.consumer.close()
      expect(await broker.consumers()).toEqual([])
    })

    test('shares the messages between consumers, each to one of them', async () => {
      const other = await fixture.open()
      const seen: string[] = []
      const onDelivery = (delivery: Delivery): void => {
        seen.push(idOf(delivery))
        void delivery.ack()
      }
      const options = { prefetch: 10, onDelivery }
      const one = await collect(broker, options)
      const two = await collect(other, options)

      await broker.publish(publications(1000))
      await within(untilEmpty(broker), 'an empty queue', 10_000)

      expect(new Set(seen).size).toBe(1000)
      expect(seen).toHaveLength(1000)
      expect(one.deliveries.length + two.deliveries.length).toBe(1000)
    })

    test('goes on when the listener throws', async () => {
      const collector = await collect(broker, {
        prefetch: 1,
        onDelivery: (delivery) => {
          void delivery.ack()
          if (idOf(delivery) === 'm0') throw new Error('a mistake of the worker')
        },
      })

      await broker.publish(publications(2))

      expect((await collector.received(2)).map(idOf)).toEqual(['m0', 'm1'])
    })

    describe('with a clock of its own', () => {
      let clock: ManualClock
      let timed: Broker

      beforeEach(async () => {
        clock = new ManualClock()
        timed = await fixture.open({ clock })
      })

      test('parks a message until it is due', async () => {
        await timed.publish([publication('later', { dueAtMs: clock.now() + 7_200_000 })])
        const collector = await collect(timed)
        await expectNothingMore(timed, collector)

        clock.advance(7_199_000)
        await expectNothingMore(timed, collector)
        clock.advance(1000)
        const deliveries = await collector.received(3)

        expect(deliveries.map(idOf)).toEqual(['last', 'last', 'later'])
      })

      test('delivers at once what was due in the past', async () => {
        await timed.publish([publication('past', { dueAtMs: clock.now() - 1 }), publication('now', { dueAtMs: clock.now() })])

        await (await collect(timed)).received(2)

        expect((await timed.depth('q')).parked).toBe(0)
      })

      test('parks a message that is requeued with a delay', async () => {
        await timed.publish([publication('one')])
        const collector = await collect(timed)
        const [delivery] = await collector.received(1)

        await delivery?.requeue({ delayMs: 5000 })
        await expectNothingMore(timed, collector)
        expect(await timed.depth('q')).toMatchObject({ ready: 0, unacked: 0, parked: 1 })
        clock.advance(5000)

        expect((await collector.received(3)).map(idOf)).toEqual(['one', 'last', 'one'])
      })

      test('makes thousands that are due at once available', async () => {
        await timed.publish(publications(3000, { dueAtMs: clock.now() + 1000 }))
        const collector = await collect(timed, { prefetch: 50, onDelivery: (delivery) => void delivery.ack() })

        clock.advance(1000)
        await collector.received(3000)

        expect(new Set(collector.ids()).size).toBe(3000)
      })

      test('gives a lease to one owner until it ends', async () => {
        const other = await fixture.open({ clock })

        expect(await timed.acquireLease('beat', 'a', 1000)).toBe(true)
        expect(await other.acquireLease('beat', 'b', 1000)).toBe(false)
        expect(await other.acquireLease('elsewhere', 'b', 1000)).toBe(true)
        clock.advance(900)
        expect(await timed.acquireLease('beat', 'a', 1000)).toBe(true)
        clock.advance(900)
        expect(await other.acquireLease('beat', 'b', 1000)).toBe(false)
        clock.advance(101)
        expect(await other.acquireLease('beat', 'b', 1000)).toBe(true)
      })
    })

    test('releases a lease for its owner only', async () => {
      await broker.acquireLease('beat', 'a', 60_000)

      await broker.releaseLease('beat', 'b')
      expect(await broker.acquireLease('beat', 'b', 60_000)).toBe(false)
      await broker.releaseLease('beat', 'a')

      expect(await broker.acquireLease('beat', 'b', 60_000)).toBe(true)
    })

    test('broadcasts to everyone subscribed at that time, in order, and to no other channel', async () => {
      const other = await fixture.open()
      const heard: Record<string, string[]> = { one: [], two: [], late: [], elsewhere: [] }
      await broker.broadcast('control', 'too early')
      const done = Promise.withResolvers<void>()
      const one = await broker.subscribe('control', (payload) => heard['one']?.push(payload))
      await other.subscribe('control', (payload) => {
        if (heard['two']?.push(payload) === 21) done.resolve()
      })
      await other.subscribe('elsewhere', (payload) => heard['elsewhere']?.push(payload))

      for (let index = 0; index < 20; index += 1) await broker.broadcast('control', `p${index}`)
      await other.subscribe('control', (payload) => heard['late']?.push(payload))
      await one.close()
      await one.close()
      await broker.broadcast('control', 'end')
      await within(done.promise, '21 broadcasts')

      const expected = Array.from({ length: 20 }, (_, index) => `p${index}`)
      expect(heard['two']).toEqual([...expected, 'end'])
      expect(heard['one']).not.toContain('end')
      expect(heard['late']).toEqual(['end'])
      expect(heard['elsewhere']).toEqual([])
    })
  })
}

async function untilEmpty(broker: Broker): Promise<void> {
  for (;;) {
    const { ready, unacked } = await broker.depth('q')
    if (ready + unacked === 0) return
    await turn()
  }
}

/** The other process of the conformance suites: does with a broker and a backend what its parent asks for. */
import { spawn } from 'node:child_process'
import type { Delivery } from '../../src/broker.ts'
import { openBackend } from '../../src/backends/open.ts'
import { openBroker } from '../../src/brokers/open.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { silentLogger } from '../../src/internal/logger.ts'
import type { StoreCall, StoreReport } from './store-process.ts'

const [url = '', root = '', visibilityTimeout = '10000'] = process.argv.slice(2)
const options = { root, clock: systemClock, logger: silentLogger, connectionTimeoutMs: 4000, maxMessageSize: 2 ** 24, visibilityTimeoutMs: Number(visibilityTimeout) }
const broker = openBroker(url, options)
const backend = openBackend(url, options)
const held = new Map<string, Delivery>()

process.on('message', ({ id, call }: { id: number; call: StoreCall }) => {
  perform(call).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())
await Promise.all([broker.connect(), backend.connect()])
report({ kind: 'ready' })

async function perform(call: StoreCall): Promise<unknown> {
  switch (call.do) {
    case 'publish':
      for (let from = 0; from < call.count; from += 1) await broker.publish([publication(`${call.prefix}${from}`)])
      return undefined
    case 'consume':
      return consume(call.prefetch, call.settle, call.withChild ?? false)
    case 'ack':
      return held.get(call.id)?.ack()
    case 'held':
      return held.get(call.id)?.isHeld
    case 'subscribe':
      return void (await broker.subscribe(call.channel, (payload) => report({ kind: 'heard', payload })))
    case 'broadcast':
      return broker.broadcast(call.channel, call.payload)
    case 'lease':
      return broker.acquireLease(call.name, call.owner, 60_000)
    case 'store':
      for (const record of call.records) await backend.store(record)
      return undefined
    case 'race':
      return Promise.all(call.ids.map((taskId) => backend.store({ taskId, status: 'SUCCESS', text: String(process.pid) })))
    case 'wait':
      return void backend.subscribe(call.id, ({ text }) => report({ kind: 'told', id: call.id, text, atMs: Date.now() }))
    case 'cpu':
      return process.cpuUsage()
    case 'close':
      await broker.close()
      return backend.close()
  }
}

async function consume(prefetch: number, settle: 'ack' | 'begin' | 'hold', withChild: boolean): Promise<number | undefined> {
  const consumer = await broker.consume({
    queues: ['q'],
    prefetch,
    name: `child-${process.pid}`,
    onDeliveries: (deliveries) => void take(deliveries, settle),
  })
  if (!withChild) return undefined
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore', detached: true })
  await consumer.setChildren([child.pid ?? 0])
  return child.pid
}

async function take(deliveries: readonly Delivery[], settle: 'ack' | 'begin' | 'hold'): Promise<void> {
  const ids = deliveries.map((delivery) => String(delivery.message.headers['id']))
  for (const [index, id] of ids.entries()) held.set(id, deliveries[index] as Delivery)
  const losses = deliveries.map((delivery) => delivery.losses)
  if (settle === 'begin') await Promise.all(deliveries.map((delivery) => delivery.begun()))
  if (settle === 'ack') await Promise.all(deliveries.map((delivery) => delivery.ack()))
  report({ kind: 'delivered', ids, losses, atMs: Date.now() })
}

function publication(id: string): Parameters<typeof broker.publish>[0][number] {
  return { queue: 'q', message: { body: '[]', contentType: 'application/json', contentEncoding: 'utf-8', headers: { id }, properties: {} } }
}

function report(value: StoreReport): void {
  process.send?.(value)
}

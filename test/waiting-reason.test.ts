import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { ResultBackend } from '../src/backend.ts'
import { openBackend } from '../src/backends/open.ts'
import type { Broker, Delivery } from '../src/broker.ts'
import { openBroker } from '../src/brokers/open.ts'
import { NotRegistered } from '../src/errors.ts'
import { encodeException } from '../src/protocol/exception.ts'
import { buildTaskMessage, type Message } from '../src/protocol/message.ts'
import { encodeResultMeta } from '../src/protocol/result.ts'
import { type WaitingContext, waitingReason } from '../src/waiting-reason.ts'
import { ManualClock } from './support/manual-clock.ts'
import { RecordedLog } from './support/recorded-log.ts'
import { within } from './support/within.ts'

let broker: Broker
let backend: ResultBackend
let clock: ManualClock

beforeEach(async () => {
  clock = new ManualClock()
  const options = { root: '/', clock, logger: new RecordedLog(), connectionTimeoutMs: 1_000, visibilityTimeoutMs: 10_000, maxMessageSize: 1_000_000 }
  const url = `memory://${crypto.randomUUID()}`
  broker = openBroker(url, options)
  backend = openBackend(url, options)
  await Promise.all([broker.connect(), backend.connect()])
})

afterEach(() => Promise.all([broker.close(), backend.close()]))

function reason(queue: string | undefined, around: Partial<WaitingContext> = {}): Promise<string> {
  return waitingReason('id', queue, { broker, backend, startFault: undefined, wasStopped: false, logs: [], ...around })
}

function message(): Message {
  return buildTaskMessage({ id: 'id', task: 'tasks:add', queue: 'celery', origin: 'gen1@host', replyTo: 'reply', args: [1, 2] })
}

function store(status: string, resultText: string): Promise<boolean> {
  return backend.store({ taskId: 'id', status, text: encodeResultMeta({ taskId: 'id', status, resultText, traceback: null }) })
}

describe('why a task has no result yet', () => {
  test('is, without a consumer of its queue, that nothing consumes it', async () => {
    expect(await reason('celery')).toBe('nothing consumes the queue "celery"; start a worker for it: celeriac worker -Q celery')
  })

  test('is that the local workers were stopped, or could not be started, where that is known', async () => {
    expect(await reason('celery', { wasStopped: true })).toContain('start them again with celery.start()')
    expect(await reason('celery', { startFault: new Error('the port is taken') })).toContain('could not be started: the port is taken')
  })

  test('counts what is before it where workers consume', async () => {
    const consumer = await broker.consume({ queues: ['celery'], prefetch: 1, name: 'w@host', onDeliveries: () => {} })
    await broker.publish([{ queue: 'celery', message: message(), dueAtMs: clock.now() + 60_000 }])

    expect(await reason('celery')).toBe(
      'the queue "celery" is consumed by w@host and has 0 messages waiting to be taken, 0 messages with workers, 1 message put off until a later time.',
    )
    await consumer.close()
  })

  test('is the error that it is tried again after', async () => {
    await store('RETRY', encodeException(new NotRegistered('Received unregistered task "x".', 'x')).text)

    expect(await reason('celery')).toContain('it is tried again after this: Received unregistered task "x".')
  })

  test('is that it runs, and where its output is', async () => {
    await store('STARTED', '{"pid": 1, "hostname": "w@host"}')

    expect(await reason('celery', { logs: ['/tmp/w.log'] })).toBe('it is running; what it prints is in /tmp/w.log.')
  })

  test('is the reason for which its message was given up', async () => {
    await broker.publish([{ queue: 'celery', message: message() }])
    const [delivery] = await within(new Promise<readonly Delivery[]>((resolve) => {
      void broker.consume({ queues: ['celery'], prefetch: 1, name: 'w@host', onDeliveries: resolve })
    }), 'the delivery')
    await delivery?.reject('malformed', 'The body is not JSON.')

    expect(await reason('celery')).toBe('its message is in the dead-letter queue: The body is not JSON.')
  })

  test('is, for an id alone, that nothing is stored of it', async () => {
    expect(await reason(undefined)).toMatch(/^nothing is stored of that id/)
  })
})

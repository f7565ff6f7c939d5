import { appendFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { askWorkers } from '../../src/control/mailbox.ts'
import { Celery, SecurityError } from '../../src/index.ts'
import { systemClock } from '../../src/internal/clock.ts'
import { openKeyRing, SIGNATURE_HEADER } from '../../src/signing/key-ring.ts'
import { FUNCTION_HEADER } from '../../src/submitter.ts'
import { ROOT, type TestApplication, testApplication, type TestWorker } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { StoredMessages, type StoredRow, unsigned, withHeaders } from '../support/stored-messages.ts'
import { storeUrl } from '../support/store.ts'
import * as tasks from './fixtures/tasks.ts'

failOnLeftovers()

let application: TestApplication
let running: TestWorker
let messages: StoredMessages

beforeAll(async () => {
  application = testApplication()
  running = await application.startWorker()
  messages = new StoredMessages(application)
})

afterAll(async () => {
  messages.close()
  await application.close()
})

/** Refused before it is decoded: decoding would say what is wrong with the body. */
const BROKEN = 'neither JSON nor a graph'

test.each<[string, (row: StoredRow) => Partial<StoredRow>, string]>([
  ['one byte of the body is changed', ({ body }) => ({ body: body.replace('[1,', '[7,') }), 'wrong-signature'],
  ['its body is replaced', () => ({ body: BROKEN }), 'wrong-signature'],
  ['its task is another', (row) => withHeaders(row, { task: 'test/worker/fixtures/tasks:echo' }), 'wrong-signature'],
  ['its function is another', (row) => withHeaders(row, { [FUNCTION_HEADER]: { t: 'm', m: './test/worker/fixtures/tasks.ts', p: ['echo'] } }), 'wrong-signature'],
  ['it is to expire later', (row) => withHeaders(row, { expires: '2999-01-01T00:00:00+00:00' }), 'wrong-signature'],
  ['it claims another content type', ({ envelope }) => ({ envelope: envelope.replace('application/json', 'application/x-celeriac-graph+json') }), 'wrong-signature'],
  ['it claims to be compressed', (row) => withHeaders(row, { compression: 'zlib' }), 'wrong-signature'],
  ['its signature is cut off', (row) => withHeaders(row, { [SIGNATURE_HEADER]: 'v1.00000000' }), 'malformed-signature'],
  ['it was signed with a key that is not ours', (row) => signedAnew(row, { secretKey: 'a key of somebody else' }), 'unknown-key'],
  ['its signature has expired', (row) => signedAnew(row, { nowMs: Date.now() - 60_000, lifetimeMs: 59_000 }), 'signature-expired'],
  ['it asks for a function and is not signed', (row) => unsigned(row), 'unsigned'],
])('a message is refused when %s', async (_what, change, reason) => {
  const counted = await refusedSoFar(reason)

  const id = await messages.spoil((sender) => sender.submit(tasks.add, 1, 2), change)

  await expectRefused(id, reason)
  expect(await refusedSoFar(reason)).toBe(counted + 1)
})

test('a function by value is refused when its message is not signed, whatever its body says', async () => {
  const secret = 41
  const change = (row: StoredRow): StoredRow => ({ ...unsigned(row), body: BROKEN })

  await expectRefused(await messages.spoil((sender) => sender.submit(() => secret + 1), change), 'unsigned')
})

test('rich data is refused when its message is not signed', async () => {
  await expectRefused(await messages.spoil((sender) => sender.submit(tasks.echo, new Date(0)), unsigned), 'unsigned')
})

test('a reply to one task does not do as the reply to another', async () => {
  const { celery, folder, keyFile } = application
  const backend = (await celery.open()).backend
  const [first, second] = [celery.submit(tasks.giveFunction), celery.submit(tasks.echo, 0)]
  await Promise.all([first.result(), second.result()])

  const text = (await backend.get(first.id))?.text ?? ''
  const other = new Celery({ root: ROOT, brokerUrl: storeUrl(folder), secretKeyFile: keyFile, startLocalWorkers: false })
  await backend.forget(second.id)
  await backend.store({ taskId: second.id, status: 'SUCCESS', text: text.replaceAll(first.id, second.id) })

  expect(await other.get<() => number>(first.id).result()).toBeTypeOf('function')
  await expect(other.get(second.id).result()).rejects.toThrow(SecurityError)
  await other.close()
})

test('a key that is added to the key file is accepted by workers that run', async () => {
  const { celery } = application
  const fallback = 'the key of a machine that came later'
  const id = await messages.spoil((sender) => sender.submit(tasks.add, 1, 2), (row) => signedAnew(row, { secretKey: fallback }))
  await expectRefused(id, 'unknown-key')

  appendFileSync(application.keyFile, `${fallback}\n`)

  await expect
    .poll(
      async () => {
        const again = await messages.spoil((sender) => sender.submit(tasks.add, 1, 2), (row) => signedAnew(row, { secretKey: fallback }))
        return celery.get(again).result({ timeout: 5 }).catch((error: unknown) => error)
      },
      { timeout: 10_000, interval: 300 },
    )
    .toBe(3)
})

async function expectRefused(id: string, reason: string): Promise<void> {
  const broker = await application.broker()

  const error = await application.celery.get(id).exception({ timeout: 5 })

  expect(error).toBeInstanceOf(SecurityError)
  expect(error).toMatchObject({ reason })
  await expect.poll(async () => (await broker.deadLetters({ limit: 1 }))[0], { timeout: 5_000 }).toMatchObject({
    reason: 'refused',
    detail: expect.stringMatching(new RegExp(`^${reason}: `)) as string,
    message: { headers: { id } },
  })
  expect(await running.log.says(new RegExp(`Refused task .*${id}`))).toMatch(/^warn/)
}

async function refusedSoFar(reason: string): Promise<number> {
  const replies = await askWorkers(await application.broker(), systemClock, 'stats', {}, { timeoutMs: 5_000, expect: [running.name] })
  const { refused } = replies[running.name] as { refused: Record<string, number> }
  return refused[reason] ?? 0
}

interface Signing {
  readonly secretKey?: string
  readonly nowMs?: number
  readonly lifetimeMs?: number
}

/** The message with another signature: without `secretKey` one by the application's own key. */
function signedAnew(row: StoredRow, { secretKey, nowMs = Date.now(), lifetimeMs = 60_000 }: Signing): Partial<StoredRow> {
  const { keyFile: secretKeyFile } = application
  const ring = openKeyRing({ secretKey, secretKeyFallbacks: [], secretKeyFile, signatureLifetimeMs: lifetimeMs, root: ROOT, inMemory: false })
  const { headers, contentType } = JSON.parse(row.envelope) as { headers: Record<string, unknown>; contentType: string }
  return withHeaders(row, { [SIGNATURE_HEADER]: ring.sign({ headers, contentType, body: row.body }, nowMs) })
}

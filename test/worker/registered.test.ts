import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { kw } from '../../src/index.ts'
import type { Message } from '../../src/protocol/message.ts'
import { type TestApplication, testApplication } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import * as project from './fixtures/project.ts'

const PROJECT = './test/worker/fixtures/project.ts'
const PYTHON_READER = `
import json, sys
meta = json.load(sys.stdin)
print(json.dumps([meta["status"], meta["result"], meta["task_id"], meta["traceback"]]))
`
const PYTHON_MESSAGE = fileURLToPath(new URL('fixtures/python_message.py', import.meta.url))
const hasPython = spawnSync('python3', ['--version']).status === 0

failOnLeftovers()

let application: TestApplication

beforeAll(() => {
  application = testApplication()
})

afterAll(() => application.close())

describe('a worker that was told of no module', () => {
  beforeAll(() => application.startWorker({ queues: ['by-reference'] }))

  test('finds a registered task through the module that exports it', async () => {
    const { celery } = application

    expect(await celery.with({ queue: 'by-reference' }).submit(project.add, 1, 2).result()).toBe(3)
  })

  test('binds the current task, and keywords to the other parameters', async () => {
    const sending = application.celery.with({ queue: 'by-reference' })

    const future = await sending.submit(project.whoAmI, 'hello')
    const byName = await sending.submit(project.whoAmI, kw({ greeting: 'hi' }))

    expect(await future.result()).toBe(`hello proj.whoAmI ${future.id}`)
    expect(await byName.result()).toBe(`hi proj.whoAmI ${byName.id}`)
  })

  test('binds keywords to declared names', async () => {
    const sending = application.celery.with({ queue: 'by-reference' })

    expect(await sending.submit(project.declared, kw({ second: 'b', first: 'a' })).result()).toBe('a-b')
  })

  test('runs a task whose name was made from its module', async () => {
    expect(project.named.name).toBe('test.worker.fixtures.project.shout')

    expect(await application.celery.with({ queue: 'by-reference' }).submit(project.named, 'loud').result()).toBe('LOUD')
  })
})

describe.each([
  ['include', { conf: { include: [PROJECT] } }],
  ['the application', { app: `${PROJECT}:celery` }],
] as const)('a worker that was told of a module by %s', (how, options) => {
  beforeAll(() => application.startWorker({ ...options, queues: [how] }))

  test('runs its tasks by name alone', async () => {
    const future = await application.celery.sendTask('proj.add', [1], { y: 2 }, { queue: how })

    expect(await future.result({ timeout: 5 })).toBe(3)
  })

  test('runs what a hand-written message of Python asks for', async () => {
    const id = await publish(how, handWritten('proj.add', '[[4], {"y": 5}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'))

    expect(await application.celery.get(id).result({ timeout: 5 })).toBe(9)
  })

  test.skipIf(!hasPython)('understands what Python writes, and writes what Python reads (needs python3)', async () => {
    const { celery } = application
    const text = 'grüße 😀 \u2028 "quoted"'
    const call = JSON.stringify(['proj.declared', [text], { second: 'b' }])
    const message = execFileSync('python3', [PYTHON_MESSAGE, call], { encoding: 'utf8' })

    const id = await publish(how, JSON.parse(message) as Message)
    expect(await celery.get(id).result({ timeout: 5 })).toBe(`${text}-b`)

    const { backend } = await celery.open()
    const stored = (await backend.get(id))?.text ?? ''
    const read = execFileSync('python3', ['-c', PYTHON_READER], { input: stored, encoding: 'utf8' })
    expect(JSON.parse(read)).toEqual(['SUCCESS', `${text}-b`, id, null])
  })
})

async function publish(queue: string, message: Message): Promise<string> {
  const broker = await application.broker()
  await broker.publish([{ queue, message }])
  return message.headers['id'] as string
}

/** What Celery 5.2 sends, no header more. */
function handWritten(task: string, body: string): Message {
  const id = crypto.randomUUID()
  return {
    body,
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    headers: {
      lang: 'py',
      task,
      id,
      shadow: null,
      eta: null,
      expires: null,
      group: null,
      group_index: null,
      retries: 0,
      timelimit: [null, null],
      root_id: id,
      parent_id: null,
      argsrepr: '(4,)',
      kwargsrepr: "{'y': 5}",
      origin: 'gen1@python',
      ignore_result: false,
    },
    properties: { correlation_id: id, reply_to: crypto.randomUUID(), delivery_mode: 2, delivery_info: { exchange: '', routing_key: 'celery' }, priority: 0 },
  }
}

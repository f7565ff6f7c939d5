import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { describe } from 'vitest'
import { REDIS_MISSING } from '../support/redis-server.ts'

const PYTHON = '/usr/bin/python3'

const run = promisify(execFile)

/** Why suites that need Python's side cannot run here, if so. */
const MISSING = REDIS_MISSING ?? (spawnSync(PYTHON, ['-c', 'import kombu, redis']).status === 0 ? undefined : 'kombu is not installed')

/** `describe` for what needs a Redis and kombu; skipped with the reason where one is missing. */
export function describeKombu(title: string, suite: () => void): void {
  const declare = MISSING === undefined ? describe : describe.skip
  declare(MISSING === undefined ? title : `${title} (skipped: ${MISSING})`, suite)
}

const PRELUDE = `
import json, os, sys, time
from kombu import Connection, Exchange, Producer, Queue
url, transport_options = sys.argv[1], json.loads(sys.argv[2])
connection = Connection(url, transport_options=transport_options)
channel = connection.default_channel
def declare(name):
    queue = Queue(name, Exchange(name), routing_key=name)(channel)
    queue.declare()
    return queue
def say(value):
    print(json.dumps(value), flush=True)
`

/**
 * Runs a Python program against a Redis by way of kombu; resolves to the JSON that it `say`s, line by line.
 *
 * It ends without any of kombu's clean-up, as a process that is killed.
 */
export async function kombu(url: string, program: string, transportOptions: object = {}): Promise<unknown[]> {
  const { stdout } = await run(PYTHON, ['-c', `${PRELUDE}\n${program}\nos._exit(0)`, url, JSON.stringify(transportOptions)], { timeout: 20_000 })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}

/** Publishes messages `{"n": …}` with the ids given to the default exchange, as Celery does. */
export function publishFromPython(url: string, queue: string, messages: readonly { id: string; priority?: number }[], transportOptions: object = {}): Promise<unknown[]> {
  const program = `
declare(${JSON.stringify(queue)})
for message in json.loads(${JSON.stringify(JSON.stringify(messages))}):
    Producer(channel).publish({"n": message["id"]}, exchange="", routing_key=${JSON.stringify(queue)}, serializer="json",
        priority=message.get("priority", 0), headers={"id": message["id"], "task": "test"}, correlation_id=message["id"])
`
  return kombu(url, program, transportOptions)
}

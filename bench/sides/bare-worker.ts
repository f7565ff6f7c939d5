import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createClient } from 'redis'
import type { BareCall, BareOutcome } from './bare-child.ts'

/**
 * The least that a worker has to do which keeps its promises: claim messages so that none is ever outside both the queue and
 * `unacked`, have another process check their signatures and run them, store and publish each result, and acknowledge. It knows no
 * leases, retries, limits, priorities, revocations or errors, so nothing that does can be faster with the same client and server.
 */
const { redisPort, prefetch } = JSON.parse(process.argv[2] ?? '{}') as { redisPort: number; prefetch: number }

const MOST_CLAIMED = 100
const RESULT_LIVES_MS = '86400000'

const CLAIM = `
local raws = redis.call('RPOP', 'celery', ARGV[1])
if not raws then return {} end
local values, scores = {}, {}
for at = 1, #raws do
  local id = 'bare:' .. (ARGV[2] + at)
  values[2 * at - 1], values[2 * at] = id, '[' .. raws[at] .. ', "", "celery"]'
  scores[2 * at - 1], scores[2 * at] = ARGV[3], id
end
redis.call('HSET', 'unacked', unpack(values))
redis.call('ZADD', 'unacked_index', unpack(scores))
return raws`

const STORE = `
for at = 1, #KEYS do
  if redis.call('SET', KEYS[at], ARGV[at + 1], 'NX', 'PX', ARGV[1]) then redis.call('PUBLISH', KEYS[at], ARGV[at + 1]) end
end`

const client = createClient({ url: `redis://127.0.0.1:${redisPort}/0`, RESP: 3, emitInvalidate: true })
client.on('invalidate', () => {
  isDrained = false
  void claim()
})
await client.connect()
const [claimScript, storeScript] = await Promise.all([client.scriptLoad(CLAIM), client.scriptLoad(STORE)])

const child: ChildProcess = fork(fileURLToPath(new URL('bare-child.ts', import.meta.url)), { serialization: 'json' })
child.on('message', (outcomes) => void conclude(outcomes as BareOutcome[]))

/** Claim by id of the task. */
const out = new Map<string, string>()
let claimed = 0
let isClaiming = false
let isDrained = false

async function claim(): Promise<void> {
  const room = Math.min(MOST_CLAIMED, prefetch - out.size)
  if (isClaiming || isDrained || room < Math.min(prefetch / 4, MOST_CLAIMED)) return
  isClaiming = true
  const first = claimed
  const [raws] = await Promise.all([
    client.sendCommand<string[]>(['EVALSHA', claimScript, '0', String(room), String(first), String(Date.now() / 1000)]),
    client.sendCommand(['EXISTS', 'celery']),
  ])
  isClaiming = false
  isDrained = raws.length < room
  const calls = raws.map((raw): BareCall => {
    const { body, headers } = JSON.parse(raw) as { body: string; headers: BareCall['headers'] }
    out.set(headers.id, `bare:${(claimed += 1)}`)
    return { headers, body: Buffer.from(body, 'base64').toString('utf8') }
  })
  if (calls.length > 0) child.send(calls)
  void claim()
}

async function conclude(outcomes: readonly BareOutcome[]): Promise<void> {
  const claims = outcomes.map(({ id }) => out.get(id) ?? '')
  for (const { id } of outcomes) out.delete(id)
  void claim()
  const dateDone = new Date().toISOString()
  const metas = outcomes.map(({ id, result }) => `{"status": "SUCCESS", "result": ${result}, "traceback": null, "children": [], "date_done": "${dateDone}", "task_id": "${id}"}`)
  const keys = outcomes.map(({ id }) => `celery-task-meta-${id}`)
  await client.sendCommand(['EVALSHA', storeScript, String(keys.length), ...keys, RESULT_LIVES_MS, ...metas])
  await client.multi().addCommand(['ZREM', 'unacked_index', ...claims]).addCommand(['HDEL', 'unacked', ...claims]).exec()
}

process.once('SIGTERM', () => {
  client.destroy()
  child.kill()
  process.exit(0)
})
await claim()
process.send?.('ready')

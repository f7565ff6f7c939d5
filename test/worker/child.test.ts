import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { Codec } from '../../src/codec.ts'
import { loadConfig } from '../../src/config/config.ts'
import { NO_TYPES } from '../../src/graph/types.ts'
import { systemClock } from '../../src/internal/clock.ts'
import type { Execution, Outcome } from '../../src/pool.ts'
import { ProcessPool } from '../../src/pools/process-pool.ts'
import { encodeBody } from '../../src/protocol/body.ts'
import { FUNCTION_HEADER } from '../../src/submitter.ts'
import { ROOT } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { within } from '../support/within.ts'
import type * as tasks from './fixtures/tasks.ts'

failOnLeftovers()

const conf = loadConfig({ options: { root: ROOT, secretKey: 'a key for these tests' }, env: {} })
const codec = new Codec({ conf, root: ROOT, clock: systemClock, types: NO_TYPES })
let pool: ProcessPool

beforeEach(async () => {
  pool = new ProcessPool({
    children: 1,
    slots: 1,
    ahead: 9,
    entry: fileURLToPath(new URL('../../src/worker/child.ts', import.meta.url)),
    init: { root: ROOT, app: undefined, conf: conf.forChildren(), hostname: 'worker@test' },
    execArgv: [],
    env: process.env,
    clock: systemClock,
    listener: { onState: () => {}, onProcesses: () => {}, onWarning: () => {} },
  })
  await pool.start()
  // Enough quick tasks that it may have some waiting.
  for (let index = 0; pool.ahead === 0; index++) await run(`quick ${index}`, 'add', [index, 1])
})

afterEach(() => pool.stop(0))

describe('a process that runs one task and has others waiting', () => {
  test('gives a large outcome away before the next task blocks it', async () => {
    const large = run('large', 'textOf', [2_000_000])
    const blocking = run('blocking', 'spin')
    const after = run('after', 'add', [1, 2])

    expect(await within(large, 'the large outcome')).toMatchObject({ kind: 'succeeded' })
    await expect.poll(() => pool.pidOf('blocking')).toBeDefined()
    expect(pool.terminate('blocking', 20)).toBe(true)

    expect(await within(blocking, 'the end of the blocking one')).toEqual({ kind: 'terminated' })
    expect(await within(after, 'the end of the one that waited')).toMatchObject({ kind: 'lost', bystander: true })
  })

  test('is in step with the worker though it is told of an end behind much that it has not read', async () => {
    const blocking = run('blocking', 'spinFor', [300])
    await expect.poll(() => pool.pidOf('blocking')).toBeDefined()
    const victim = run('victim', 'never')
    const large = [0, 1, 2, 3].map((index) => run(`large ${index}`, 'echo', ['x'.repeat(1_000_000)]))

    expect(pool.terminate('victim', 50)).toBe(true)

    expect(await within(victim, 'the end of the victim')).toEqual({ kind: 'terminated' })
    expect((await within(Promise.all([blocking, ...large]), 'the end of the others')).every(({ kind }) => kind === 'succeeded' || kind === 'lost')).toBe(true)
    expect(await within(run('probe', 'add', [1, 2]), 'a task afterwards')).toEqual({ kind: 'succeeded', resultText: '3' })
  })

  test('does not abort what has just begun when it is asked to take it back', async () => {
    const first = run('first', 'add', [1, 2])
    const second = run('second', 'heedFor', [200])
    // Both are in the pipe, and the worker is busy: it does not read that the second has begun.
    await new Promise((resolve) => setImmediate(resolve))
    const untilMs = performance.now() + 60
    while (performance.now() < untilMs);

    pool.withdraw('second')

    expect(await within(Promise.all([first, second]), 'both ends')).toEqual([
      { kind: 'succeeded', resultText: '3' },
      { kind: 'succeeded', resultText: '"in peace"' },
    ])
  })

  test('gives away what has ended when a task ends the process', async () => {
    const outcomes = await within(Promise.all([run('ended', 'add', [1, 2]), run('exits', 'exitAtOnce'), run('waits', 'add', [3, 4])]), 'all ends')

    expect(outcomes[0]).toEqual({ kind: 'succeeded', resultText: '3' })
    expect(outcomes[1]).toMatchObject({ kind: 'lost', bystander: false })
    expect(outcomes[2]).toMatchObject({ kind: 'lost', bystander: true })
  })
})

function run(id: string, name: keyof typeof tasks, args: readonly unknown[] = []): Promise<Outcome> {
  return pool.run(executionOf(id, name, args))
}

function executionOf(id: string, name: string, args: readonly unknown[]): Execution {
  const headers = { lang: 'js', task: `tasks:${name}`, id, retries: 0, [FUNCTION_HEADER]: { t: 'm', m: './test/worker/fixtures/tasks.ts', p: [name] } }
  const message = { contentType: 'application/json', contentEncoding: 'utf-8', headers, body: encodeBody(args, {}), properties: {} }
  codec.seal(message)
  return { id, message, queue: 'celery', redelivered: false }
}

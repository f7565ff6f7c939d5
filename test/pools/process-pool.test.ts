import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'

import { NOT_BEGUN, type Outcome } from '../../src/pool.ts'
import type { ProcessPool } from '../../src/pools/process-pool.ts'
import { failOnLeftovers, leftovers } from '../support/leaks.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { turn, within } from '../support/within.ts'
import { execution, testPool, type Told } from './support.ts'

failOnLeftovers()

let pool: ProcessPool
let told: Told

afterEach(() => pool.stop(0))

async function start(children: number, slots: number): Promise<void> {
  ;({ pool, told } = testPool({ children, slots }))
  await pool.start()
}

function run(id: string, body: string): Promise<Outcome> {
  return within(pool.run(execution(id, body)), `the outcome of ${id}`)
}

function pidOf(outcome: Outcome): number {
  expect(outcome.kind).toBe('succeeded')
  return (JSON.parse((outcome as { resultText: string }).resultText) as { pid: number }).pid
}

/** Resolves when the task is given to a process. */
async function begun(id: string): Promise<void> {
  await expect.poll(() => pool.pidOf(id)).toBeDefined()
}

/** Resolves when what was given to the pool is on its way, so that what follows comes in a message of its own. */
async function sent(): Promise<void> {
  await turn()
}

describe('a pool of processes', () => {
  test('has as many slots as processes times tasks, all of them ready when it has started', async () => {
    await start(2, 3)

    expect(pool.size).toBe(6)
    expect(pool.pids()).toHaveLength(2)
    expect(pool.isolated).toBe(true)
  })

  test('gives each task one process, and says which', async () => {
    await start(2, 1)
    const waiting = pool.run(execution('a', 'wait'))
    await begun('a')

    const other = pidOf(await run('b', 'go'))

    expect(pool.pidOf('a')).not.toBe(other)
    expect(pool.pids()).toContain(other)
    expect(pool.pidOf('b')).toBeUndefined()
    pool.terminate('a', 1_000)
    expect(await within(waiting, 'the end of a')).toEqual({ kind: 'terminated' })
  })

  test('passes on failures, and states in order with the end', async () => {
    await start(1, 1)

    expect(await run('a', 'fail')).toMatchObject({ kind: 'failed', summary: 'on purpose' })
    expect(await run('b', 'report')).toEqual({ kind: 'succeeded', resultText: '1' })
    expect(told.states).toEqual([['b', 'HALF', '1']])
  })

  test('passes over what is no message, and the end of an earlier run', async () => {
    await start(1, 1)

    expect(await run('a', 'nonsense')).toEqual({ kind: 'succeeded', resultText: '"fine"' })
  })

  test('cannot terminate what it does not run', async () => {
    await start(1, 1)

    expect(pool.terminate('unheard', 0)).toBe(false)
  })
})

describe('a process that dies', () => {
  test.each([
    ['die', /was ended by SIGKILL while it ran the task/],
    ['exit', /exited with code 7 while it ran the task/],
  ])('by %s loses its task, and is replaced', async (body, detail) => {
    await start(1, 1)
    const [before] = pool.pids()

    const outcome = await run('a', body)

    expect(outcome).toMatchObject({ kind: 'lost', bystander: false, detail: expect.stringMatching(detail) as string })
    expect(pidOf(await run('b', 'go'))).not.toBe(before)
    expect(told.warnings.join()).toContain('starting another')
  })

  test('loses every task that it ran', async () => {
    await start(1, 3)
    const waiting = pool.run(execution('a', 'wait'))
    await begun('a')

    const [a, b] = await Promise.all([within(waiting, 'the end of a'), run('b', 'die')])

    expect([a, b]).toMatchObject([{ kind: 'lost', bystander: false }, { kind: 'lost', bystander: false }])
  })

  test('and says so before loses no other task by its own fault', async () => {
    await start(1, 2)
    const neighbour = pool.run(execution('a', 'wait'))
    await begun('a')

    expect(await run('b', 'leave')).toMatchObject({ kind: 'failed', summary: 'not caught' })

    expect(await within(neighbour, 'the end of a')).toMatchObject({ kind: 'lost', bystander: true, detail: expect.stringContaining('exited with code 1') as string })
    expect((await run('c', 'go')).kind).toBe('succeeded')
  })

  test('to its worker only, because it closed its channel, is ended and replaced', async () => {
    await start(1, 1)

    expect(await run('a', 'disconnect')).toMatchObject({ kind: 'lost', bystander: false })

    expect((await run('b', 'go')).kind).toBe('succeeded')
  })

  test('leaves a task that waits for it to its successor', async () => {
    await start(1, 1)

    const [, b] = await Promise.all([run('a', 'die'), run('b', 'go')])

    expect(b.kind).toBe('succeeded')
  })
})

describe('terminating', () => {
  test('a task that heeds its signal keeps the process', async () => {
    await start(1, 1)
    const [pid] = pool.pids()
    const outcome = pool.run(execution('a', 'wait'))
    await begun('a')

    expect(pool.terminate('a', 5_000)).toBe(true)

    expect(await within(outcome, 'the end of a')).toEqual({ kind: 'terminated' })
    expect(pool.pids()).toEqual([pid])
  })

  test('a task that ends in time leaves the next run of its id alone', async () => {
    const clock = new ManualClock()
    ;({ pool, told } = testPool({ children: 1, slots: 1, clock }))
    await pool.start()
    const [pid] = pool.pids()
    const first = pool.run(execution('a', 'wait'))
    pool.terminate('a', 50)
    await within(first, 'the end of the first run')
    const second = pool.run(execution('a', 'wait'))

    clock.advance(50)
    pool.terminate('a', 5_000)

    expect(await within(second, 'the end of the second run')).toEqual({ kind: 'terminated' })
    expect((await run('b', 'go')).kind).toBe('succeeded')
    expect(pool.pids()).toEqual([pid])
  })

  test.each(['deaf', 'block'])('a task that is %s ends it after the grace', async (body) => {
    await start(1, 1)
    const outcome = pool.run(execution('a', body))
    await begun('a')

    pool.terminate('a', 20)

    expect(await within(outcome, 'the end of a')).toEqual({ kind: 'terminated' })
    expect((await run('b', 'go')).kind).toBe('succeeded')
  })

  test('several deaf tasks beside others leaves the others in peace', async () => {
    await start(1, 4)
    const [pid] = pool.pids()
    const deaf = ['a', 'b', 'c'].map((id) => pool.run(execution(id, 'deaf')))
    const neighbour = pool.run(execution('d', 'wait'))
    await begun('d')

    for (const id of ['a', 'b', 'c']) pool.terminate(id, 50)

    expect(await within(Promise.all(deaf), 'the end of the deaf')).toEqual([{ kind: 'terminated' }, { kind: 'terminated' }, { kind: 'terminated' }])
    expect(pool.pidOf('d')).toBe(pid)
    pool.terminate('d', 5_000)
    await within(neighbour, 'the end of the neighbour')
  })

  test('a blocking task takes its neighbours with it, who are not to blame', async () => {
    await start(1, 2)
    const neighbour = pool.run(execution('a', 'wait'))
    const blocking = pool.run(execution('b', 'block'))
    await sent()
    await begun('b')

    pool.terminate('b', 20)

    expect(await within(blocking, 'the end of b')).toEqual({ kind: 'terminated' })
    expect(await within(neighbour, 'the end of a')).toMatchObject({ kind: 'lost', bystander: true })
  })

  test('a task that waits for a process ends it before it begins', async () => {
    await start(1, 1)
    const first = pool.run(execution('a', 'die'))
    const waiting = pool.run(execution('b', 'go'))

    expect(pool.pidOf('b')).toBeUndefined()
    expect(pool.terminate('b', 0)).toBe(true)

    expect(await within(waiting, 'the end of b')).toEqual({ kind: 'terminated' })
    await within(first, 'the end of a')
  })
})

describe('stopping', () => {
  test('waits for what runs, within the grace', async () => {
    await start(1, 1)
    const outcome = pool.run(execution('a', 'wait'))
    await begun('a')

    const stopped = pool.stop(10_000)
    pool.terminate('a', 10_000)

    expect(await within(outcome, 'the end of a')).toEqual({ kind: 'terminated' })
    await within(stopped, 'the pool to stop')
    expect(leftovers()).toEqual([])
  })

  test.each(['wait', 'deaf', 'block'])('gives up a task that does %s after the grace, uncounted', async (body) => {
    await start(2, 1)
    const outcome = pool.run(execution('a', body))
    await begun('a')

    await within(pool.stop(50), 'the pool to stop')

    expect(await outcome).toMatchObject({ kind: 'lost', bystander: true })
    expect(pool.pids()).toEqual([])
    expect(leftovers()).toEqual([])
  })

  test('gives up what waits at once', async () => {
    await start(1, 1)
    const first = pool.run(execution('a', 'wait'))
    const second = pool.run(execution('b', 'go'))
    await begun('a')

    await within(pool.stop(0), 'the pool to stop')

    expect(await second).toMatchObject({ kind: 'lost', bystander: true })
    expect(await first).toMatchObject({ kind: 'lost', bystander: true })
  })

  test('begins nothing any more', async () => {
    await start(1, 1)
    await pool.stop(0)

    expect(await run('late', 'go')).toBe(NOT_BEGUN)
  })

  test('may be asked for twice, and during the start', async () => {
    ;({ pool, told } = testPool({ children: 2, slots: 1 }))
    const started = pool.start().catch(() => {})

    await within(Promise.all([pool.stop(0), pool.stop(0), started]), 'the pool to stop')

    expect(leftovers()).toEqual([])
  })
})

describe('a process that cannot start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pool-'))
  const app = join(folder, 'broken')

  afterEach(() => rmSync(app, { force: true }))

  test('says why, and no process is left', async () => {
    writeFileSync(app, '')
    ;({ pool, told } = testPool({ children: 2, slots: 1, app }))

    await expect(pool.start()).rejects.toThrow('told to fail')

    expect(leftovers()).toEqual([])
  })

  test('later is tried again until it does', async () => {
    ;({ pool, told } = testPool({ children: 1, slots: 1, app }))
    await pool.start()
    writeFileSync(app, '')
    await run('a', 'die')
    const waiting = pool.run(execution('b', 'go'))
    await expect.poll(() => told.warnings.some((each) => each.includes('could not start: told to fail')), { timeout: 5_000 }).toBe(true)

    expect(existsSync(app)).toBe(true)
    rmSync(app)

    expect((await within(waiting, 'the waiting task', 10_000)).kind).toBe('succeeded')
  })

  test.each<[string, () => NodeJS.ProcessEnv]>([
    ['is missing', () => ((process.execPath = '/nowhere/node'), process.env)],
    ['is given too much', () => ({ ...process.env, HUGE: 'x'.repeat(3_000_000) })],
  ])('because its program %s says so, and the pool stops', async (_what, spoil) => {
    const { execPath } = process
    ;({ pool, told } = testPool({ children: 2, slots: 1, env: spoil() }))

    try {
      await expect(within(pool.start(), 'the start to fail')).rejects.toThrow(/could not be made: spawn/)
    } finally {
      process.execPath = execPath
    }
    expect(pool.pids()).toEqual([])
  })

  test('because none can be made is tried again until one can', async () => {
    const { execPath } = process
    await start(1, 1)
    process.execPath = '/nowhere/node'
    try {
      await run('a', 'die')
      await expect.poll(() => told.warnings.some((each) => each.startsWith('A pool process could not be made'))).toBe(true)
    } finally {
      process.execPath = execPath
    }

    expect((await run('b', 'go')).kind).toBe('succeeded')
  })
})

describe('a process whose tasks are quick', () => {
  /** One that runs one task at a time and may have three more waiting, after enough quick ones to be trusted. */
  async function startQuick(): Promise<void> {
    ;({ pool, told } = testPool({ children: 1, slots: 1, ahead: 3 }))
    await pool.start()
    expect(pool.ahead).toBe(0)
    for (let index = 0; index < 30; index++) await run(`quick ${index}`, 'go')
    expect(pool.ahead).toBe(3)
  }

  test('is given more than it has slots for, and begins them in order', async () => {
    await startQuick()
    const first = pool.run(execution('a', 'wait'))
    const rest = [pool.run(execution('b', 'wait')), pool.run(execution('c', 'go'))]

    await begun('a')
    expect(['a', 'b', 'c'].map((id) => pool.pidOf(id))).toEqual([expect.any(Number), undefined, undefined])
    pool.terminate('a', 5_000)
    expect(await within(first, 'the end of a')).toEqual({ kind: 'terminated' })
    await begun('b')
    pool.terminate('b', 5_000)

    expect((await within(Promise.all(rest), 'the end of the rest')).map(({ kind }) => kind)).toEqual(['terminated', 'succeeded'])
  })

  test('gives up what waits behind a task that turns out to take long, though it reads nothing meanwhile', async () => {
    await startQuick()
    const first = pool.run(execution('a', 'block'))
    const rest = [pool.run(execution('b', 'go')), pool.run(execution('c', 'go'))]
    await begun('a')

    pool.ranLong('a')

    expect(await within(Promise.all(rest), 'what waits to come back')).toEqual([NOT_BEGUN, NOT_BEGUN])
    expect(pool.ahead).toBe(0)
    pool.terminate('a', 0)
    expect(await within(first, 'the end of a')).toEqual({ kind: 'terminated' })
    expect((await run('b', 'go')).kind).toBe('succeeded')
  })

  test('is given nothing ahead that is to begin at once, so that nothing of that comes back', async () => {
    await startQuick()
    const first = pool.run(execution('a', 'wait'))
    const early = pool.run(execution('b', 'go'), { atOnce: true })
    await begun('a')

    pool.ranLong('a')
    pool.terminate('a', 0)

    expect(await within(first, 'the end of a')).toEqual({ kind: 'terminated' })
    expect((await within(early, 'the end of b')).kind).toBe('succeeded')
  })

  test('gives back what waits in it, and only that', async () => {
    await startQuick()
    const first = pool.run(execution('a', 'wait'))
    const second = pool.run(execution('b', 'die'))
    await begun('a')

    expect(pool.withdraw('a')).toBe(false)
    expect(pool.withdraw('b')).toBe(true)

    expect(await within(second, 'the end of b')).toEqual({ kind: 'terminated' })
    pool.terminate('a', 5_000)
    expect(await within(first, 'the end of a')).toEqual({ kind: 'terminated' })
    expect((await run('c', 'go')).kind).toBe('succeeded')
  })

  test('that is killed for one task has not begun those that wait', async () => {
    await startQuick()
    const first = pool.run(execution('a', 'block'))
    const second = pool.run(execution('b', 'go'))
    await sent()

    pool.terminate('a', 50)

    expect(await within(first, 'the end of a')).toEqual({ kind: 'terminated' })
    expect(await within(second, 'the end of b')).toEqual(NOT_BEGUN)
  })

  test('ends one that was terminated while it waited, though the worker stops before the process hears of it', async () => {
    await startQuick()
    const first = pool.run(execution('a', 'block'))
    const second = pool.run(execution('b', 'go'))
    await begun('a')

    expect(pool.withdraw('b')).toBe(true)
    await within(pool.stop(0), 'the stop')

    expect(await second).toEqual({ kind: 'terminated' })
    expect((await first).kind).toBe('lost')
  })

  test('that stops begins none of those that wait', async () => {
    await startQuick()
    const first = pool.run(execution('a', 'wait'))
    const second = pool.run(execution('b', 'go'))

    await within(pool.stop(0), 'the stop')

    expect((await first).kind).toBe('lost')
    expect(await second).toEqual(NOT_BEGUN)
  })

  test('is no longer given more once a task takes long', async () => {
    await startQuick()
    for (let index = 0; index < 5; index++) {
      const slow = pool.run(execution(`slow ${index}`, 'wait'))
      // A task that takes long is what this is about; nothing else tells.
      await pause(60)
      pool.terminate(`slow ${index}`, 5_000)
      await within(slow, 'the end of a slow task')
    }

    expect(pool.ahead).toBe(0)
  })
})

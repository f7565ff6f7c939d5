import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { isGone } from '../../src/internal/process-identity.ts'
import { failOnLeftovers, leftovers } from '../support/leaks.ts'
import { onRedis, storeUrl } from '../support/store.ts'
import { APP, project, type RunningCommand, run, start } from './command.ts'
import { until } from './until.ts'

failOnLeftovers()
const host = hostname()

describe('celeriac worker', () => {
  test('tells what it is, keeps a pidfile of its own, and logs to a file', async () => {
    const folder = project({ 'src/app.ts': APP })
    const pidfile = join(folder, 'run/bar.pid')

    const worker = start(folder, ['worker', '-A', './src/app.ts', '-n', 'bar', '-Q', 'slow,fast', '-P', 'async', '-c', '7', '--pidfile', 'run/%n.pid', '-f', '%n.log'])
    await worker.printed(`bar@${host} ready.`)
    const owner = readFileSync(pidfile, 'utf8')
    const second = await run(folder, ['worker', '-A', './src/app.ts', '--pidfile', 'run/bar.pid'])
    worker.signal('SIGINT')
    const { code, stdout, stderr } = await worker.ended()

    const url = onRedis ? storeUrl(folder) : 'sqlite:'
    expect(stdout).toContain(`[config]\n.> app:         shop\n.> transport:   ${url}\n.> results:     ${url}\n.> concurrency: 7 (async)\n.> root:        ${folder}\n`)
    expect(stdout).toContain('[queues]\n.> slow\n.> fast\n\n[tasks]\n  . shop.add\n')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(owner).toBe(`${worker.pid}\n`)
    expect(second).toMatchObject({ code: 73, stderr: `Error: The pidfile ${pidfile} belongs to a running process (${worker.pid}). Stop that worker first, or give this one another pidfile.\n` })
    expect(existsSync(pidfile)).toBe(false)
    expect(readFileSync(join(folder, 'bar.log'), 'utf8')).toContain(`"bar@${host} ready"`)
  })

  test('lets a running task finish when it is told to stop, then leaves with 0', async () => {
    const folder = project({ 'app.ts': APP })
    writeFileSync(join(folder, 'stale.pid'), 'garbage')
    const worker = start(folder, ['worker', '-Q', 'slow', '-c', '1', '--pidfile', 'stale.pid'])
    const id = await busyWith(folder, 'shop.hold', 600)

    worker.signal('SIGTERM')
    const { code, stdout } = await worker.ended()

    expect(stdout).toContain('warm shutdown')
    expect(code).toBe(0)
    expect(await run(folder, ['-q', 'result', id])).toEqual({ code: 0, stdout: '"held"\n', stderr: '' })
  })

  test.each([
    ['a second signal', ['SIGINT', 'SIGINT']],
    ['SIGQUIT', ['SIGQUIT']],
  ] as const)('ends a task in a busy loop at once on %s and gives it back', async (_title, signals) => {
    const folder = project({ 'app.ts': APP })
    const worker = start(folder, ['-q', 'worker', '-Q', 'slow', '-c', '1'], { env: { CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT: '60' } })
    await busyWith(folder, 'shop.spin')
    const children = leftovers().filter(({ pid }) => pid !== worker.pid)

    for (const signal of signals) {
      worker.signal(signal)
      // Signals that are sent together may arrive as one.
      await run(folder, ['--version'])
    }
    const { code, stderr } = await worker.ended()

    expect(stderr).toContain(`Error: celery@${host} was told to end at once`)
    expect(code).toBe(1)
    expect(children.length).toBeGreaterThan(0)
    expect(children.filter(({ pid }) => !isGone(pid, null))).toEqual([])
    expect((await run(folder, ['-q', 'purge', '-f', '-Q', 'slow'])).stdout).toBe('Purged 1 message from 1 known task queue.\n')
  })

  test('leaves no process behind when it is killed', async () => {
    const folder = project({ 'app.ts': APP })
    const worker = start(folder, ['worker', '-c', '2'])
    await worker.printed('ready.')
    const family = leftovers()

    worker.signal('SIGKILL')
    await worker.ended()

    expect(family.length).toBeGreaterThanOrEqual(3)
    await until('the pool to end', () => family.every(({ pid }) => isGone(pid, null)))
  })

  test('never runs user code itself', async () => {
    const folder = project({ 'app.ts': `${APP}\nimport { appendFileSync } from 'node:fs'\nappendFileSync('loaded', process.pid + '\\n')` })
    const worker = start(folder, ['worker', '-c', '1'])
    await worker.printed('ready.')

    worker.signal('SIGTERM')
    await worker.ended()

    const loaders = readFileSync(join(folder, 'loaded'), 'utf8').trim().split('\n')
    expect(loaders).toHaveLength(2)
    expect(loaders).not.toContain(String(worker.pid))
  })

  test('works with the pool solo, and without any application', async () => {
    const folder = project({})
    const worker = start(folder, ['worker', '-P', 'solo'])
    await worker.printed(`celery@${host} ready.`)

    const { stdout } = await run(folder, ['-q', 'status'])
    worker.signal('SIGTERM')

    expect(stdout).toBe(`celery@${host}: OK\n`)
    expect((await worker.ended()).code).toBe(0)
  })

  test('ends at once when it is stopped while the application loads', async () => {
    const folder = project({ 'app.ts': `console.error('loading'); await new Promise((resolve) => setTimeout(resolve, 60_000))` })
    const worker: RunningCommand = start(folder, ['worker', '--pidfile', 'worker.pid'])
    await worker.printed('loading')

    worker.signal('SIGTERM')

    expect((await worker.ended()).code).toBe(0)
    expect(existsSync(join(folder, 'worker.pid'))).toBe(false)
  })
})

/** Sends a task that marks its begin, and waits for that. Resolves to its id. */
async function busyWith(folder: string, task: string, ...args: unknown[]): Promise<string> {
  const mark = join(folder, 'mark')
  const { stdout } = await run(folder, ['-q', 'call', task, '-a', JSON.stringify([mark, ...args])])
  await until(`${task} to begin`, () => existsSync(mark))
  return stdout.trim()
}

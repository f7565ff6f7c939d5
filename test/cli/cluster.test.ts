import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { isGone } from '../../src/internal/process-identity.ts'
import { failOnLeftovers, leftovers } from '../support/leaks.ts'
import { APP, project, run, start } from './command.ts'
import { until } from './until.ts'

failOnLeftovers()
const host = hostname()
const CLUSTER = APP.replace(`new Celery('shop')`, `new Celery('shop', { startLocalWorkers: false, workers: { foo: { concurrency: 1 }, bar: { concurrency: 1, queues: ['slow'] } } })`)

describe('celeriac cluster', () => {
  test('runs the configured workers, shows their logs by name, and ends them on Ctrl-C', async () => {
    const folder = project({ 'app.ts': CLUSTER })
    const cluster = start(folder, ['cluster'])
    await cluster.printed(`foo@${host}, bar@${host} ready.`)

    const status = await run(folder, ['-q', 'status'])
    const { stdout: id } = await run(folder, ['-q', 'call', 'shop.add', '-a', '[20, 22]'])
    const result = await run(folder, ['-q', 'result', id.trim(), '--timeout', '10'])
    const second = await run(folder, ['-q', 'cluster'])
    const family = leftovers()
    cluster.signal('SIGINT')
    const { code, stdout } = await cluster.ended()

    expect(status.stdout).toBe(`bar@${host}: OK\nfoo@${host}: OK\n`)
    expect(result.stdout).toBe('42\n')
    expect(second).toEqual({ code: 1, stdout: '', stderr: `Error: workers already running: foo@${host}, bar@${host}\n` })
    expect(stdout).toMatch(new RegExp(`^foo@${host} \\| .*ready`, 'm'))
    expect(stdout).toMatch(new RegExp(`^bar@${host} \\| .*ready`, 'm'))
    expect(code).toBe(0)
    expect(family.length).toBeGreaterThanOrEqual(5)
    expect(family.filter(({ pid }) => !isGone(pid, null))).toEqual([])
  })

  test('ends a task in a busy loop at once on a second signal', async () => {
    const folder = project({ 'app.ts': CLUSTER })
    const cluster = start(folder, ['cluster'], { env: { CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT: '60' } })
    await cluster.printed('ready.')
    const mark = join(folder, 'mark')
    await run(folder, ['-q', 'call', 'shop.spin', '-a', JSON.stringify([mark])])
    await until('shop.spin to begin', () => existsSync(mark))
    const family = leftovers()

    cluster.signal('SIGTERM')
    await run(folder, ['--version'])
    cluster.signal('SIGTERM')
    const { code } = await cluster.ended()

    expect(code).toBe(1)
    // All were killed before the cluster ended; the kernel takes a moment to end what is busy.
    await expect.poll(() => family.filter(({ pid }) => !isGone(pid, null)), { timeout: 1_000, interval: 5 }).toEqual([])
  })

  test('prints the commands that start the same workers by hand', async () => {
    const folder = project({ 'app.ts': CLUSTER })

    const { code, stdout } = await run(folder, ['-q', 'cluster', '--print-commands', '-A', './app.ts'])

    expect(stdout).toBe('celeriac -A ./app.ts worker -n foo@%h --concurrency=1 --queues=celery,slow\nceleriac -A ./app.ts worker -n bar@%h --concurrency=1 --queues=slow\n')
    expect(code).toBe(0)
  })

  test('says why a worker could not start', async () => {
    const folder = project({ 'app.ts': `${CLUSTER}\nif (process.env.CELERIAC_ROLE === 'pool') throw new Error('no luck')` })

    const { code, stderr } = await run(folder, ['-q', 'cluster'])

    expect(stderr).toMatch(new RegExp(`^Error: Worker "(foo|bar)@${host}" exited with code 1`, 'm'))
    expect(stderr).toContain('no luck')
    expect(code).toBe(1)
  })
})

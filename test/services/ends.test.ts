import { rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { failOnLeftovers } from '../support/leaks.ts'
import { alive, descendants, environment, fixture, gone, newFolder, type SeenProcess, startWeb, until, type WebProcess } from './web-process.ts'

/** What the project promises: no process is left this long after the web process ended. */
const PROMISE_MS = 3_000

failOnLeftovers()

let folder: string
let web: WebProcess | undefined
/** What a test expects to end. */
let seen: SeenProcess[] = []

beforeEach(() => {
  folder = newFolder()
})

afterEach(async () => {
  const all = web === undefined ? [] : [...seen, ...descendants(web.pid)]
  web?.child.kill('SIGKILL')
  await web?.ended
  // A test that failed may have left what it found.
  for (const { pid } of alive(all)) process.kill(pid, 'SIGKILL')
  web = undefined
  seen = []
  rmSync(folder, { recursive: true, force: true })
})

// A task in a busy loop answers nothing, so it is the one that would be left behind.
describe.each([
  ['idle workers', 'idle'],
  ['a task in a busy loop', 'busy'],
])('the end of a web process with %s', (_what, load) => {
  test.each([
    ['return', { code: 0, signal: null }],
    ['exit', { code: 0, signal: null }],
    ['throw', { code: 1, signal: null }],
  ])('leaves no process after %s', async (end, expected) => {
    const { processes } = await running(end, load)

    web?.child.stdin?.write('end\n')

    expect(await web?.ended).toEqual(expected)
    await gone(processes, PROMISE_MS)
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('leaves no process after %s', async (signal) => {
    const { processes } = await running('stay', load)

    web?.child.kill(signal)

    expect(await web?.ended).toEqual({ code: null, signal })
    await gone(processes, PROMISE_MS)
  })
})

test('a busy loop outlives neither when the web process and the worker are killed at once', async () => {
  const { processes } = await running('stay', 'busy')
  const [worker] = workersOf(web?.pid as number)

  for (const pid of [web?.pid, worker?.pid]) process.kill(pid as number, 'SIGKILL')

  await web?.ended
  await gone(processes, PROMISE_MS)
})

test('a worker whose own event loop a task blocks ends with the web process', async () => {
  const { processes } = await running('stay', 'busy', { CELERY_WORKER_POOL: 'solo' })

  web?.child.kill('SIGKILL')

  await web?.ended
  await gone(processes, PROMISE_MS)
})

test('Ctrl-C in a terminal reaches the whole group and leaves no process', async () => {
  const { processes } = await running('stay', 'busy')

  for (const { pid } of processes) process.kill(pid, 'SIGINT')
  web?.child.kill('SIGINT')

  await web?.ended
  await gone(processes, PROMISE_MS)
})

test('a reload by node --watch ends the old workers and starts new ones', async () => {
  const main = join(folder, 'main.ts')
  writeFileSync(main, `await import(${JSON.stringify(fixture('web.ts'))})\n`)
  web = startWeb(['--watch', main], environment(folder))
  let processes = await announced(web, 1)

  for (let reloads = 1; reloads <= 3; reloads++) {
    utimesSync(main, new Date(), new Date(Date.now() + reloads * 1000))
    const next = await announced(web, reloads + 1)
    await gone(processes, PROMISE_MS)
    processes = next
  }

  expect(workersOf(web.pid)).toHaveLength(1)
  const all = descendants(web.pid)
  web.child.kill('SIGTERM')
  await web.ended
  await gone(all, PROMISE_MS)
})

async function running(end: string, load: string, env: NodeJS.ProcessEnv = {}): Promise<{ processes: SeenProcess[] }> {
  web = startWeb([fixture('web.ts'), end, load], environment(folder, env))
  const { pid } = web
  await web.says(/^ready/m)
  const processes = descendants(pid)
  seen = processes
  expect(processes.length).toBeGreaterThanOrEqual(env['CELERY_WORKER_POOL'] === 'solo' ? 1 : 2)
  return { processes }
}

/** The worker processes of the `times`-th web process of this watcher. */
async function announced(watcher: WebProcess, times: number): Promise<SeenProcess[]> {
  await until(
    () => [...watcher.output().matchAll(/^ready/gm)].length >= times || undefined,
    () => `"ready" for the ${times}. time in:\n${watcher.output()}`,
  )
  const [, text = '[]'] = [...watcher.output().matchAll(/^ready (.*)$/gm)].at(times - 1) ?? []
  const pids = (JSON.parse(text) as { pid: number }[]).map(({ pid }) => pid)
  return descendants(watcher.pid).filter(({ pid }) => pids.includes(pid))
}

function workersOf(pid: number): SeenProcess[] {
  return descendants(pid).filter(({ command }) => command.includes('worker-main'))
}

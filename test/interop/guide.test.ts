import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createProject, linkBuilt, plainEnvironment } from '../docs/project.ts'
import { ROOT } from '../support/application.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { freePort, RedisServer } from '../support/redis-server.ts'
import { within } from '../support/within.ts'
import { describeInterop, PYTHON } from './python-app.ts'

failOnLeftovers()

const PAGE = readFileSync(`${ROOT}/docs/python.md`, 'utf8')

describeInterop('docs/python.md', () => {
  let redis: RedisServer
  let folder: string
  const started: ChildProcess[] = []

  beforeAll(async () => {
    redis = await RedisServer.start()
    folder = createProject(['fastify', 'redis', '@redis'])
    linkBuilt(folder)
    for (const [, name, code = ''] of PAGE.matchAll(/^```(?:ts|python)\n(?:\/\/|#) (\S+\.(?:ts|py))\n([\s\S]*?)^```$/gm)) writeFileSync(join(folder, name ?? ''), code)
  })

  afterAll(async () => {
    await Promise.all(started.map(stop))
    await redis.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Starts a command of the page, which must be there in these very words; resolves to the first match in what it says. */
  async function run(command: string, until: RegExp, port?: number): Promise<RegExpExecArray> {
    expect(commands()).toContain(command)
    const [program, args] = asHere(command)
    const env = plainEnvironment({ CELERY_BROKER_URL: redis.url(0), PYTHONUNBUFFERED: '1', ...(port !== undefined && { PORT: String(port) }) })
    const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    started.push(child)
    const found = Promise.withResolvers<RegExpExecArray>()
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        const match = until.exec((said += text))
        if (match !== null) found.resolve(match)
      })
    }
    void once(child, 'close').then(() => found.reject(new Error(`"${command}" ended:\n${said}`)))
    return within(found.promise, `"${command}" to say ${until}`, 20_000)
  }

  async function stopAll(): Promise<void> {
    await Promise.all(started.splice(0).map(stop))
  }

  test('a TypeScript web application with Python workers works as the page shows', async () => {
    await run('celery -A tasks worker --loglevel=INFO', / ready\./)
    const [, address = ''] = await run('node web.ts', /(http:\/\/\S+)/, await freePort())

    const sent = await fetch(`${address}/add`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a": 23, "b": 42}' })
    const { id } = (await sent.json()) as { id: string }

    expect(sent.status).toBe(202)
    await expect.poll(async () => (await fetch(`${address}/result/${id}`)).json(), { timeout: 10_000 }).toEqual({ ready: true, successful: true, value: 65 })
    await stopAll()
  })

  test('a Python application with TypeScript workers works as the page shows', async () => {
    await run('npx celeriac -A worker.ts worker', / ready/)

    const [printed] = await run('python client.py', /^.*\n/)

    expect(printed).toBe(`${/print\(result.*\) {2}# (.*)/.exec(PAGE)?.[1]}\n`)
    await stopAll()
  })

  test('the application that has tasks.py is answered by TypeScript workers too', async () => {
    await run('npx celeriac -A worker.ts worker', / ready/)
    writeFileSync(join(folder, 'client.py'), 'from tasks import add_together\nprint(add_together.delay(23, 42).get(timeout=10))\n')

    const [printed] = await run('python client.py', /^.*\n/)

    expect(printed).toBe('65\n')
    await stopAll()
  })
})

/** The commands of the page. */
function commands(): string[] {
  return [...PAGE.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => block.trim().split('\n'))
}

/** The same command where Celery and the package are not on the path. */
function asHere(command: string): [string, string[]] {
  const [program = '', ...args] = command.split(' ')
  if (program === 'celery') return [PYTHON, ['-m', 'celery', ...args]]
  if (program === 'python') return [PYTHON, args]
  if (program === 'npx') return [process.execPath, [`${ROOT}/dist/cli/main.js`, ...args.slice(1)]]
  return [process.execPath, args]
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'close')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(timer)
}

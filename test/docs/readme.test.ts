import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { descendants, gone, startWeb, until, type WebProcess } from '../services/web-process.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { codeBlocks, promisedOutput } from './code-blocks.ts'
import { createProject, installPacked, plainEnvironment } from './project.ts'

/** How long after the application no process of it is left. */
const PROMISE_MS = 3_000

failOnLeftovers()

let folder: string
let web: WebProcess | undefined

beforeEach(() => {
  folder = createProject(['fastify'])
})

afterEach(() => {
  web?.child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

test('the first example of the README works as it stands, with the package from its tarball', async () => {
  installPacked(folder)
  writeFileSync(join(folder, 'app.ts'), codeBlocks('README.md')[0]?.code ?? '')
  web = startWeb([join(folder, 'app.ts')], plainEnvironment({ PORT: '0' }))
  const [address] = await web.says(/http:\S+/)

  const posted = await fetch(`${address}/add`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"x": 1, "y": 2}' })
  const { id } = (await posted.json()) as { id: string }
  const result = await (await fetch(`${address}/result/${id}`)).json()
  const status = await (await fetch(`${address}/status/${id}`)).json()

  expect(posted.status).toBe(202)
  expect(result).toEqual({ result: 3 })
  expect(status).toEqual({ state: 'SUCCESS' })

  const processes = await until(() => workersOf(web), () => 'a worker and its pool')
  web.child.kill('SIGINT')
  await web.ended
  await gone(processes, PROMISE_MS)
})

test('its second snippet prints what it says, and ends by itself', async () => {
  const snippet = codeBlocks('README.md')[1]
  installPacked(folder)
  writeFileSync(join(folder, 'script.ts'), snippet?.code ?? '')

  const { stdout } = await promisify(execFile)(process.execPath, ['script.ts'], { cwd: folder, env: plainEnvironment({}), timeout: 20_000 })

  expect(snippet?.code).toContain('celery.submit((')
  expect(stdout.trim().split('\n')).toEqual(snippet && promisedOutput(snippet))
})

function workersOf(process: WebProcess | undefined): ReturnType<typeof descendants> | undefined {
  const found = process === undefined ? [] : descendants(process.pid)
  return found.length >= 2 ? found : undefined
}

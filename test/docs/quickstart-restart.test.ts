import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { createProject, type Project } from '../../examples/quickstart/demo/project.ts'
import type { Summary } from '../../examples/quickstart/summary.ts'
import { descendants, gone, startWeb, until, type WebProcess } from '../services/web-process.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { plainEnvironment } from './project.ts'

const LINE = 'every word of this line is counted once\n'
const LINES = 250_000

failOnLeftovers()

let project: Project
let web: WebProcess | undefined

beforeEach(() => {
  project = createProject()
})

afterEach(() => {
  web?.child.kill('SIGKILL')
  project.remove()
})

test('a count that was answered with 202 goes on after the application was killed and started again', async () => {
  const { id, total } = await upload(await start(), LINE.repeat(LINES))
  const processes = descendants(web?.pid ?? 0)
  web?.child.kill('SIGKILL')
  await gone(processes, 5_000)

  const address = await start()
  await until(async () => ((await get<{ done: number }>(`${address}/status/${id}`)).done === total ? true : undefined), () => `${total} chunks`)
  const { words } = await get<Summary>(`${address}/result/${id}`)

  expect(words).toBe(LINES * 8)
  web?.child.kill('SIGTERM')
  expect(await web?.ended).toEqual({ code: 0, signal: null })
})

test('an unknown id is answered with 404', async () => {
  const response = await fetch(`${await start()}/status/unknown`)

  expect(response.status).toBe(404)
})

async function start(): Promise<string> {
  web = startWeb([join(project.folder, 'app.ts')], plainEnvironment({ PORT: '0' }))
  const [address] = await web.says(/http:\S+/)
  return address
}

async function upload(address: string, text: string): Promise<{ id: string; total: number }> {
  const form = new FormData()
  form.append('file', new Blob([text]), 'text.txt')
  const response = await fetch(`${address}/upload`, { method: 'POST', body: form })
  expect(response.status).toBe(202)
  return (await response.json()) as { id: string; total: number }
}

async function get<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T
}

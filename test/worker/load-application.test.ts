import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { AppNotFoundError } from '../../src/index.ts'
import { loadApplication } from '../../src/worker/load-application.ts'

const CELERY = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)

const WEB = `
export const other = 1
export const app = { listen() {}, label: 'web' }
export const make = async () => ({ fetch() {}, label: 'made' })
`
const BOTH = `
import { Celery } from ${CELERY}
export const app = { listen() {}, label: 'both' }
new Celery(app, { main: 'hidden' })
`
const NAMED = `
import { Celery } from ${CELERY}
export const first = { listen() {} }
export const celery = new Celery('named')
`

let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'celeriac-load-'))
  mkdirSync(join(root, 'proj'))
  writeFileSync(join(root, 'proj', 'web.mjs'), WEB)
  writeFileSync(join(root, 'proj', 'index.mjs'), `export default { listen() {}, label: 'index' }\n`)
  writeFileSync(join(root, 'both.mjs'), BOTH)
  writeFileSync(join(root, 'named.mjs'), NAMED)
  writeFileSync(join(root, 'broken.mjs'), `throw new Error('broken on purpose')\n`)
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

async function labelOf(spec: string): Promise<unknown> {
  return ((await loadApplication(spec, root)).webApp as { label?: string } | undefined)?.label
}

describe('a web application', () => {
  test.each([
    ['a file', './proj/web.mjs', 'web'],
    ['a file without its extension', './proj/web', 'web'],
    ['a dotted path', 'proj.web', 'web'],
    ['an export by name', 'proj.web:app', 'web'],
    ['a factory', './proj/web:make', 'made'],
    ['a factory that is called', './proj/web:make()', 'made'],
    ['a folder with an index', './proj', 'index'],
  ])('is found by %s', async (_how, spec, label) => {
    expect(await labelOf(spec)).toBe(label)
  })

  test('is found by an absolute path', async () => {
    expect(await labelOf(join(root, 'proj', 'web.mjs'))).toBe('web')
  })

  test('brings the Celery application that was made for it', async () => {
    const { celery, webApp } = await loadApplication('both', root)

    expect(celery?.main).toBe('hidden')
    expect(webApp).toMatchObject({ label: 'both' })
  })
})

test('an export named celery is preferred to the first that is an application', async () => {
  const { celery, webApp } = await loadApplication('named', root)

  expect(celery?.main).toBe('named')
  expect(webApp).toBeUndefined()
})

describe('what cannot be loaded is told', () => {
  test('with the paths that were tried', async () => {
    await expect(loadApplication('missing.app', root)).rejects.toThrow(AppNotFoundError)
    await expect(loadApplication('missing.app', root)).rejects.toThrow(join(root, 'missing.app.ts'))
  })

  test('with the exports that there are', async () => {
    await expect(loadApplication('./proj/web:celery', root)).rejects.toThrow(/no export "celery".*other, app, make/)
  })

  test('as the module itself failed', async () => {
    await expect(loadApplication('broken', root)).rejects.toThrow('broken on purpose')
  })
})

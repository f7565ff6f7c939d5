import { describe, expect, test } from 'vitest'

import { failOnLeftovers } from '../support/leaks.ts'
import { APP, project, run } from './command.ts'

failOnLeftovers()
const bare = project({ 'proj/celery.ts': APP, 'web.ts': 'export const app = { listen() {} }', 'broken.ts': 'throw new Error("no luck")', 'wrong.ts': `import { Celery } from 'celeriac'; new Celery({ brokerUlr: 'sqlite:' })` })

const ALL_TASKS = 'tasks    -> shop.add, shop.fail, shop.hold, shop.prices, shop.spin'

describe('the application', () => {
  test.each([
    [['-A', './proj/celery.ts', 'report']],
    [['report', '-A', 'proj/celery']],
    [['report', '--app=proj.celery:celery']],
  ])('is the one of %j, before or after the command', async (words) => {
    const { code, stdout, stderr } = await run(bare, words)

    expect(stdout).toContain(ALL_TASKS)
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  test('is the one of CELERIAC_APP when none is given', async () => {
    const { stdout } = await run(bare, ['report'], { env: { CELERIAC_APP: './proj/celery.ts' } })

    expect(stdout).toContain(ALL_TASKS)
  })

  test('is what a factory makes', async () => {
    const folder = project({ 'proj.ts': `${APP}\nexport async function createApp() { return celery }` })

    const { stdout } = await run(folder, ['-A', 'proj:createApp', 'report'])

    expect(stdout).toContain(ALL_TASKS)
  })

  test.each(['app.ts', 'src/app.mts', 'server.js', 'celery.mjs'])('is found in %s, and that is said', async (path) => {
    const folder = project({ [path]: APP })

    const { stdout, stderr } = await run(folder, ['report'])

    expect(stdout).toContain(ALL_TASKS)
    expect(stderr).toBe(`Using the application ./${path}\n`)
  })

  test('is the default one of the project when there is none', async () => {
    const { code, stdout, stderr } = await run(bare, ['report'])

    expect(stdout).toContain(`"${bare}"`)
    expect(stdout).toContain('"shop"')
    expect(stderr).toBe('No application was given or found; using the default one.\n')
    expect(code).toBe(0)
  })

  test('has to be named when several modules may be it', async () => {
    const folder = project({ 'app.ts': APP, 'server.js': APP })

    const { code, stderr } = await run(folder, ['report'])

    expect(stderr).toBe('Error: Several modules may be the application: ./app.ts, ./server.js. Name one: celeriac -A ./app.ts …\n')
    expect(code).toBe(2)
  })

  test('never opens its port and does not keep a command waiting', async () => {
    const folder = project({ 'app.ts': `${APP}\nimport { createServer } from 'node:http'\ncreateServer().listen(1)\nsetInterval(() => {}, 1000)` })

    const { code, stderr } = await run(folder, ['-q', 'report'])

    expect(stderr).toBe('')
    expect(code).toBe(0)
  })
})

describe.each(['report', 'worker'])('an application that cannot be loaded by celeriac %s', (command) => {
  test.each([
    ['nope', /^No module was found for the application "nope": tried .*nope\.ts/m],
    ['proj.celery:nope', /has no export "nope" \(it exports: celery\)/],
    ['web', /^No Celery application has been made by web\. Make one and export it/m],
  ])('is explained without a stack when it is %s', async (app, reason) => {
    const { code, stdout, stderr } = await run(bare, ['-A', app, command])

    expect(stderr).toMatch(/^Error: Unable to load celery application\.\n/)
    expect(stderr).toMatch(reason)
    expect(stderr).not.toMatch(/^ {4}at /m)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  test('is shown with the stack of what its module threw', async () => {
    const { code, stderr } = await run(bare, ['-A', 'broken', command])

    expect(stderr).toMatch(/^Error: Unable to load celery application\.\nWhile it was loaded, broken failed:\nError: no luck\n.*broken\.ts:1/)
    expect(code).toBe(2)
  })

  test('is shown with the problems of its configuration alone', async () => {
    const { code, stderr } = await run(bare, ['-A', 'wrong', command])

    expect(stderr).toContain('"brokerUlr" is not an option; did you mean "brokerUrl"?')
    expect(stderr).not.toMatch(/^ {4}at /m)
    expect(code).toBe(2)
  })
})

import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type Config, loadConfig } from '../../src/config/config.ts'
import { ImproperlyConfigured } from '../../src/errors.ts'
import { project, run } from '../cli/command.ts'

const SECRET = 'correct horse battery staple'
const FORMER = 'former horse battery staple'

describe('secrets', () => {
  test('are masked where the configuration is shown, as is how long they are', () => {
    const config = configured()

    expect(config.report()).toEqual(
      expect.arrayContaining([
        { name: 'secretKey', value: '***', origin: 'constructor' },
        { name: 'secretKeyFallbacks', value: ['***'], origin: 'environment' },
      ]),
    )
    expect(inspect(config)).not.toContain('staple')
    expect(String(loadConfig({ env: {} }).report().find(({ name }) => name === 'secretKey')?.value)).toBe('undefined')
  })

  test('reach a child process', () => {
    const child = loadConfig({ inherited: JSON.parse(JSON.stringify(configured().forChildren())) as Record<string, unknown>, env: {} })

    expect([child.secretKey, child.secretKeyFallbacks]).toEqual([SECRET, [FORMER]])
  })

  test.each<[string, unknown]>([
    ['secretKey', 'hunter2'],
    ['secretKey', ['hunter2']],
    ['secretKeyFallbacks', ['hunter2']],
    ['secretKeyFallbacks', 'hunter2'],
    ['secretKeyFallbacks', { hunter2: 'hunter2' }],
  ])('are not repeated in the problem of a wrong %s', (name, value) => {
    const error = problemOf(() => loadConfig({ options: { [name]: value }, env: {} }))

    expect(error.message).toContain('at least 16 characters')
    expect(inspect(error, { depth: null })).not.toContain('hunter2')
  })

  test('of too few characters are told how many there are, and how to make one', () => {
    expect(problemOf(() => loadConfig({ env: { CELERY_SECRET_KEY: ' hunter2 ' } })).message).toBe(
      '"CELERY_SECRET_KEY" in the environment must be a text of at least 16 characters, not one of 7. Make one with: openssl rand -hex 32',
    )
    expect(problemOf(() => loadConfig({ env: { CELERY_SECRET_KEY_FALLBACKS: `${FORMER},hunter2` } })).message).toBe(
      '"CELERY_SECRET_KEY_FALLBACKS" in the environment must be a list of texts of at least 16 characters each; number 2 is one of 7.',
    )
  })

  test('that disagree are not repeated in the warning', () => {
    const config = loadConfig({ options: { secretKey: SECRET, secret_key: FORMER }, env: {} })

    expect(config.warnings).toEqual(['"secretKey" and "secret_key" say different things; "secretKey" is used.'])
  })

  test('do not show in celeriac report', async () => {
    const folder = project({ 'app.ts': `import { Celery } from 'celeriac'\nexport const celery = new Celery({ secretKey: '${SECRET}' })` })

    const { code, stdout, stderr } = await run(folder, ['-A', 'app.ts', 'report'], { env: { CELERY_SECRET_KEY_FALLBACKS: FORMER } })

    expect(code).toBe(0)
    expect(stdout).toMatch(/^secretKey +"\*\*\*" {2}\(constructor\)$/m)
    expect(stdout).toMatch(/^secretKeyFallbacks +\["\*\*\*"\] {2}\(environment\)$/m)
    expect(stdout + stderr).not.toContain('staple')
  })
})

test('a web application’s own SECRET_KEY is left alone', () => {
  const config = loadConfig({ env: { SECRET_KEY: SECRET } })
  config.update({ SECRET_KEY: 'dev', SECRET_KEY_FALLBACKS: ['old'] })

  expect([config.secretKey, config.secretKeyFallbacks, config.warnings]).toEqual([undefined, [], []])
})

function configured(): Config {
  return loadConfig({ options: { secretKey: SECRET }, env: { CELERY_SECRET_KEY_FALLBACKS: FORMER } })
}

function problemOf(work: () => unknown): ImproperlyConfigured {
  try {
    work()
  } catch (error) {
    if (error instanceof ImproperlyConfigured) return error
    throw error
  }
  throw new Error('Nothing was thrown.')
}

import { expect, test } from 'vitest'
import { runVitest } from './nested-vitest.ts'

const SKIPS = {
  'redis.test.ts': `
    import { describe, test } from 'vitest'
    test('runs', () => {})
    test('gives up', (context) => context.skip('no network'))
    describe('broker', () => {
      describe.skipIf(true)('on Redis (skipped: redis-server is not installed)', () => {
        test('publishes', () => {})
        describe('claims', () => {
          test('in order', () => {})
        })
      })
    })`,
}

test('lists what was skipped, each once with its reason', () => {
  const { status, output } = runVitest(SKIPS)

  expect(output).toContain('Tests  1 passed | 3 skipped')
  expect(output).toContain('Skipped:\n  - redis.test.ts > gives up (skipped: no network)\n  - redis.test.ts > broker > on Redis (skipped: redis-server is not installed) (2 tests)\n')
  expect(status).toBe(0)
})

test('fails for a skipped suite when CI is set', () => {
  const { status, output } = runVitest(SKIPS, { env: { CI: 'true' } })

  expect(output).toContain('A skipped suite is a failure when CI is set.')
  expect(status).toBe(1)
})

test('says nothing of tests that a name filter left out', () => {
  const { status, output } = runVitest(SKIPS, { args: ['-t', 'runs'], env: { CI: 'true' } })

  expect(output).not.toContain('Skipped:')
  expect(status).toBe(0)
})

test('says nothing when every test ran', () => {
  const { status, output } = runVitest({ 'one.test.ts': "import { test } from 'vitest'\ntest('runs', () => {})\n" }, { env: { CI: 'true' } })

  expect(output).not.toContain('Skipped:')
  expect(status).toBe(0)
})

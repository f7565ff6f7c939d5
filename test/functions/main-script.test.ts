import { describe, expect, test } from 'vitest'
import { isGuardedMain, mainScript } from '../../src/functions/main-script.ts'
import { runFixture } from './fixtures/run-node.ts'

describe('the guard of a script', () => {
  test.each([
    'if (import.meta.main) start()',
    'if (!import.meta.main) throw 1',
    'import.meta.main && await start()',
    'const port: number = 1\nif (import.meta.main) start(port)',
    'if (require.main === module) start()',
    'if (module !== require.main) return\nstart()',
    '#!/usr/bin/env node\nif (require.main == module) start()',
  ])('is seen in %j', (source) => {
    expect(isGuardedMain(source)).toBe(true)
  })

  test.each(['start()', '// import.meta.main', 'log("import.meta.main")', 'import.meta.url', 'main === module', 'require.main', 'not a ( script'])(
    'is not seen in %j',
    (source) => {
      expect(isGuardedMain(source)).toBe(false)
    },
  )
})

describe('the main script', () => {
  test('is the file that the process was started with', async () => {
    expect(await runFixture('print-main.ts')).toMatch(/fixtures[\\/]print-main\.ts$/)
    expect(mainScript()).toBeDefined()
  })
})

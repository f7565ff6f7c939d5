import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { targetsOf } from '../scripts/check-package.ts'
import type { Manifest } from '../scripts/check-package.ts'

const ROOT = new URL('..', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as Manifest & { exports: Record<string, unknown> }

test('every export and binary is built from a source file', () => {
  const sources = targetsOf(manifest)
    .filter((target) => target.startsWith('./dist/') || target.startsWith('dist/'))
    .map((target) => target.replace(/^(\.\/)?dist\//, 'src/').replace(/(\.d\.ts|\.js)$/, '.ts'))

  expect(sources).toContain('src/index.ts')
  expect(sources.filter((source) => !existsSync(new URL(source, ROOT)))).toEqual([])
})

test('every export of code names its types first', () => {
  const code = Object.entries(manifest.exports).filter(([path]) => path !== './package.json')

  expect(code.map(([path, conditions]) => [path, Object.keys(conditions as object)])).toEqual(code.map(([path]) => [path, ['types', 'default']]))
})

import { expect, test } from 'vitest'
import { checkPackage } from '../../scripts/check-package.ts'
import { sourceTree } from '../support/source-tree.ts'

const MANIFEST = {
  name: 'stand-in',
  version: '1.0.0',
  license: 'MIT',
  type: 'module',
  engines: { node: '>=22.18' },
  files: ['dist', 'src'],
  bin: { 'stand-in': 'dist/cli/main.js' },
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './package.json': './package.json' },
  dependencies: { acorn: '^8.0.0' },
}

const FILES = {
  'src/index.ts': 'export const one = 1',
  'dist/index.js': "import { parse } from 'acorn'\nimport { sep } from 'node:path'\nexport const one = [parse, sep].length\n//# sourceMappingURL=index.js.map\n",
  'dist/index.d.ts': "export { one } from './one.ts'\n",
  'dist/one.d.ts': 'export declare const one: number\n',
  'dist/index.js.map': '{"version":3,"file":"index.js","sourceRoot":"","sources":["../src/index.ts"],"mappings":""}',
  'dist/cli/main.js': "#!/usr/bin/env node\nimport { one } from '../index.js'\nconsole.log(one)\n",
  'test/index.test.ts': '',
}

test('finds nothing in a complete package', async () => {
  const problems = await checkPackage(packageWith({}))

  expect(problems).toEqual([])
})

test.each([
  ['an export that was not built', { manifest: { exports: { ...MANIFEST.exports, './worker': './dist/worker.js' } } }, 'package.json points at ./dist/worker.js, which is not in the package'],
  ['a binary that was not built', { manifest: { bin: 'dist/main.js' } }, 'package.json points at dist/main.js, which is not in the package'],
  ['a file of the tests', { manifest: { files: ['dist', 'src', 'test'] } }, 'test/index.test.ts is of the tests'],
  ['a source map without its source', { manifest: { files: ['dist'] } }, 'dist/index.js.map points at src/index.ts, which is not in the package'],
  ['an import that is not declared', { manifest: { dependencies: {} } }, 'dist/index.js imports acorn, which package.json does not declare'],
  ['a type import that is not declared', { files: { 'dist/index.d.ts': "import type { Logger } from 'pino'\nexport declare const one: Logger\n" } }, 'dist/index.d.ts imports pino, which package.json does not declare'],
  ['an import of a file that is not there', { files: { 'dist/index.js': "export { one } from './one.js'\n" } }, 'dist/index.js imports ./one.js, which is not in the package'],
  ['a package that publint refuses', { manifest: { exports: { '.': { default: './dist/index.js', types: './dist/index.d.ts' } } } }, 'publint says:'],
  ['types that only a bundler resolves', { files: { 'dist/index.d.ts': "export { one } from './one'\n" } }, 'attw says:'],
])('finds %s', async (_what, change, problem) => {
  const problems = await checkPackage(packageWith(change))

  expect(problems.join('\n')).toContain(problem)
})

function packageWith({ manifest, files }: { manifest?: object; files?: Record<string, string> }): string {
  return sourceTree({ ...FILES, ...files, 'package.json': JSON.stringify({ ...MANIFEST, ...manifest }) })
}

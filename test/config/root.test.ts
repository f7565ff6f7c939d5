import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { projectName } from '../../src/config/root.ts'

const MODULE = pathToFileURL(join(import.meta.dirname, '../../src/config/root.ts')).href
const PRINT_ROOT = `import { projectRoot } from ${JSON.stringify(MODULE)}\nprocess.stdout.write(projectRoot())`

let folder: string

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'celeriac-root-')))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

test('is the nearest folder with a package.json above the main script, wherever it is run', () => {
  write('project/package.json', '{}')
  write('project/src/deep/main.mjs', PRINT_ROOT)

  expect(rootOf('project/src/deep/main.mjs', folder)).toBe(join(folder, 'project'))
})

test('is found through a link to the main script', () => {
  write('project/package.json', '{}')
  write('project/main.mjs', PRINT_ROOT)
  symlinkSync(join(folder, 'project/main.mjs'), join(folder, 'link.mjs'))

  expect(rootOf('link.mjs', folder)).toBe(join(folder, 'project'))
})

test('is looked for from the working directory when the main script is an installed tool', () => {
  write('project/package.json', '{}')
  write('project/node_modules/tool/package.json', '{}')
  write('project/node_modules/tool/main.mjs', PRINT_ROOT)
  mkdirSync(join(folder, 'project/src'))

  expect(rootOf('project/node_modules/tool/main.mjs', join(folder, 'project/src'))).toBe(join(folder, 'project'))
})

test('is looked for from the working directory when there is no main script', () => {
  write('project/package.json', '{}')

  expect(run(['--input-type=module', '--eval', PRINT_ROOT], join(folder, 'project'))).toBe(join(folder, 'project'))
})

test('is the working directory when no folder has a package.json', () => {
  write('loose/main.mjs', PRINT_ROOT)
  write('elsewhere/x', '')

  expect(rootOf('loose/main.mjs', join(folder, 'elsewhere'))).toBe(join(folder, 'elsewhere'))
})

test('gives the project the name of its package, or of its folder', () => {
  expect(projectName(folder)).toBe(basename(folder))

  write('package.json', '{"name": "@acme/shop"}')
  expect(projectName(folder)).toBe('@acme/shop')

  write('package.json', '{"name": 7')
  expect(projectName(folder)).toBe(basename(folder))
})

function write(path: string, contents: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), contents)
}

function rootOf(script: string, cwd: string): string {
  return run([join(folder, script)], cwd)
}

function run(args: string[], cwd: string): string {
  return execFileSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 20_000 })
}

import { mkdtempSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UnreachableFunctionError } from '../../src/errors.ts'
import type { FunctionReference } from '../../src/functions/reference.ts'
import { isFunctionReference, resolveReference } from '../../src/functions/resolve.ts'
import { runFixture } from './fixtures/run-node.ts'
import { add, operations } from './fixtures/tasks.ts'

const root = join(import.meta.dirname, 'fixtures')
const at = (m: string, ...p: string[]): FunctionReference => ({ t: 'm', m, p })

/** A root with everything that a reference must not reach, and beside it what it must not escape to. */
let trap = ''

beforeAll(() => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'celeriac-resolve-')))
  trap = join(folder, 'root')
  mkdirSync(join(trap, 'node_modules', 'pkg'), { recursive: true })
  const task = 'export const run = () => 1\n'
  writeFileSync(join(folder, 'outside.mjs'), task)
  writeFileSync(join(trap, 'node_modules', 'pkg', 'index.mjs'), task)
  writeFileSync(join(trap, 'inside.mjs'), task)
  writeFileSync(join(trap, 'data.json'), '{"run":1}')
  writeFileSync(join(trap, 'addon.node'), '')
  writeFileSync(join(trap, 'script'), task)
  mkdirSync(join(folder, 'root-sibling'))
  writeFileSync(join(folder, 'root-sibling', 'x.mjs'), task)
  symlinkSync(join(folder, 'outside.mjs'), join(trap, 'link-out.mjs'))
  symlinkSync(folder, join(trap, 'folder-out'))
  symlinkSync(join(trap, 'inside.mjs'), join(trap, 'link-in.mjs'))
  symlinkSync(join(trap, 'data.json'), join(trap, 'data.mjs'))
  symlinkSync(join(trap, 'node_modules', 'pkg', 'index.mjs'), join(trap, 'pkg.mjs'))
  symlinkSync(trap, join(folder, 'root-link'))
  // As pnpm lays packages out.
  mkdirSync(join(trap, 'node_modules', '.pnpm', 'inner@1', 'node_modules', '@scope', 'inner'), { recursive: true })
  writeFileSync(join(trap, 'node_modules', '.pnpm', 'inner@1', 'node_modules', '@scope', 'inner', 'index.mjs'), task)
  mkdirSync(join(trap, 'node_modules', '@scope'))
  symlinkSync(join(trap, 'node_modules', '.pnpm', 'inner@1', 'node_modules', '@scope', 'inner'), join(trap, 'node_modules', '@scope', 'inner'))
  mkdirSync(join(trap, 'node_modules', 'pkg', 'node_modules', 'nested'), { recursive: true })
  writeFileSync(join(trap, 'node_modules', 'pkg', 'node_modules', 'nested', 'index.mjs'), task)
  symlinkSync(join(folder, 'outside.mjs'), join(trap, 'node_modules', 'pkg', 'out.mjs'))
})

afterAll(() => rmSync(join(trap, '..'), { recursive: true, force: true }))

describe('a reference', () => {
  test('leads to the function that the module exports', async () => {
    expect(await resolveReference(at('./tasks.ts', 'add'), root)).toBe(add)
    expect(await resolveReference(at('./tasks.ts', 'operations', 'deep', 'power'), root)).toBe(operations.deep.power)
  })

  test('follows links that stay below the root, which may be a link itself', async () => {
    const target = await resolveReference(at('./inside.mjs', 'run'), trap)

    expect(await resolveReference(at('./link-in.mjs', 'run'), trap)).toBe(target)
    expect(await resolveReference(at('./inside.mjs', 'run'), join(trap, '..', 'root-link'))).toBe(target)
  })

  test('is told from other values by its shape', () => {
    expect(isFunctionReference(at('./tasks.ts', 'add'))).toBe(true)
    for (const other of [null, 3, {}, at('./tasks.ts'), { t: 'f', m: 'x', p: ['y'] }, { t: 'm', m: 1, p: ['y'] }, { t: 'm', m: 'x', p: [1] }]) {
      expect(isFunctionReference(other)).toBe(false)
    }
  })
})

describe('an export that is not there', () => {
  test('is reported with the nearest names', async () => {
    await expect(resolveReference(at('./tasks.ts', 'ad'), root)).rejects.toThrow(/does not export "ad"\. Nearest: "add"/)
    await expect(resolveReference(at('./tasks.ts', 'Tasks', 'sbu'), root)).rejects.toThrow(/no own property "sbu"\. Nearest: "sub"/)
  })

  test('is reported with the root when the whole module is missing', async () => {
    await expect(resolveReference(at('./gone.ts', 'add'), root)).rejects.toThrow(/no such file below .*fixtures\. Give this process the same code/)
  })

  test('carries the reason when the module fails to load', async () => {
    await expect(resolveReference(at('./failing.ts', 'add'), root)).rejects.toMatchObject({
      message: expect.stringContaining('The module failed to load: no database here'),
      cause: expect.objectContaining({ message: 'no database here' }),
    })
  })
})

describe('a hostile reference', () => {
  test.each([
    '../outside.mjs',
    './../outside.mjs',
    './sub/../../outside.mjs',
    '../root-sibling/x.mjs',
    '/etc/passwd',
    'file:///etc/passwd',
    'node:child_process',
    'child_process',
    'pkg',
    'data:text/javascript,export const run = 1',
    './/etc/passwd',
    './',
    '.',
    '',
    '.\\..\\outside.mjs',
    './inside.mjs\0.ts',
    './inside.mjs?query',
    './link-out.mjs',
    './folder-out/outside.mjs',
    './node_modules/pkg/index.mjs',
    './pkg.mjs',
    './data.json',
    './data.mjs',
    './addon.node',
    './script',
  ])('does not import %j', async (module) => {
    await expect(resolveReference(at(module, 'run'), trap)).rejects.toThrow(UnreachableFunctionError)
  })

  test.each([
    [['Point', 'constructor']],
    [['Point', '__proto__', 'constructor']],
    [['Point', 'prototype', 'norm']],
    [['constructor']],
    [['__proto__']],
    [['point', 'norm']],
    [['inherited', 'run']],
    [['toString']],
    [['hasOwnProperty']],
    [['Point', 'call']],
    [['tempting', 'task']],
    [['count', 'toFixed']],
    [['count']],
    [['Point']],
    [['native']],
    [['bound']],
    [['proxied']],
    [['proxied', 'name']],
    [['Point', 'make', 'a', 'b', 'c']],
  ])('does not reach %j', async (path) => {
    await expect(resolveReference(at('./holder.ts', ...path), root)).rejects.toThrow(UnreachableFunctionError)
  })

  test('does not call the getters of a CommonJS module that was not transpiled', async () => {
    const references = { plain: at('./getters.cjs', 'plain'), tempting: at('./getters.cjs', 'tempting'), inherited: at('./getters.cjs', 'toString') }

    const answers = await runFixture('resolve.ts', { args: [JSON.stringify(references)] })

    expect(answers).toEqual({
      plain: 1,
      tempting: expect.stringContaining('"tempting" is a getter'),
      inherited: expect.stringContaining('does not export "toString"'),
    })
  })
})

describe('a reference into an installed package', () => {
  test.each([
    ['./node_modules/pkg/index.mjs', ['pkg']],
    ['./node_modules/pkg/index.mjs', 'any'],
    ['./pkg.mjs', ['pkg']],
    ['./node_modules/@scope/inner/index.mjs', ['@scope/inner']],
    ['./node_modules/.pnpm/inner@1/node_modules/@scope/inner/index.mjs', ['@scope/inner']],
    ['./node_modules/pkg/node_modules/nested/index.mjs', ['nested']],
  ] as const)('%j is followed where %j is listed', async (module, packages) => {
    const run = (await resolveReference(at(module, 'run'), trap, { packages })) as () => unknown

    expect(run()).toBe(1)
  })

  test.each([
    ['./node_modules/pkg/index.mjs', ['other']],
    ['./node_modules/pkg/index.mjs', ['pk', 'pkg/index.mjs', '@scope/pkg', '']],
    ['./node_modules/@scope/inner/index.mjs', ['@scope', 'inner', '.pnpm', 'inner@1']],
    ['./node_modules/pkg/node_modules/nested/index.mjs', ['pkg']],
    ['./node_modules/pkg/out.mjs', ['pkg']],
    ['./node_modules/pkg/../../../outside.mjs', 'any'],
    ['./node_modules/pkg/package.json', 'any'],
    ['node:child_process', 'any'],
    ['pkg', 'any'],
  ] as const)('%j is refused where %j is listed', async (module, packages) => {
    // Whoever was allowed to before does not open it for others.
    await resolveReference(at('./node_modules/pkg/index.mjs', 'run'), trap, { packages: 'any' })

    await expect(resolveReference(at(module, 'run'), trap, { packages })).rejects.toThrow(UnreachableFunctionError)
  })
})

describe('a reference of something captured', () => {
  test('may lead to a class, but to nothing that is not exported', async () => {
    expect(await resolveReference(at('./holder.ts', 'Point'), root, { isCaptured: true })).toBeTypeOf('function')
    for (const path of [['Point', 'constructor'], ['Point', 'prototype', 'norm'], ['toString'], ['count']]) {
      await expect(resolveReference(at('./holder.ts', ...path), root, { isCaptured: true })).rejects.toThrow(UnreachableFunctionError)
    }
  })
})

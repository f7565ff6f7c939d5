import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { UnreachableFunctionError } from '../../src/errors.ts'
import { builtinBinding } from '../../src/functions/builtins.ts'
import { ImportBinding, resolveImport } from '../../src/functions/import-binding.ts'
import * as tasks from './fixtures/tasks.ts'

const root = join(import.meta.dirname, 'fixtures')

describe('an import that travels', () => {
  test.each([
    ['of a built-in module', new ImportBinding('node:crypto', ['createHash']), createHash],
    ['of what is defined globally', new ImportBinding('globalThis', ['Array', 'prototype', 'slice']), Array.prototype.slice],
    ['from the root', new ImportBinding('./tasks.ts', ['add']), tasks.add],
    ['from below an export', new ImportBinding('./tasks.ts', ['operations', 'neg']), tasks.operations.neg],
  ])('%s is resolved again', async (_, binding, value) => {
    expect(await resolveImport(JSON.parse(JSON.stringify(binding)) as ImportBinding, root)).toBe(value)
  })

  test('of a whole namespace is the namespace', async () => {
    expect(await resolveImport(new ImportBinding('node:fs', []), root)).toHaveProperty('default', fs)
  })

  test('is resolved from the file that it was written in', async () => {
    const fromHere = await resolveImport(new ImportBinding('acorn', ['parse'], './gone/app.ts'), root)
    const relative = await resolveImport(new ImportBinding('../parameters.test.ts', [], './app.ts'), root).catch(String)
    const fromElsewhere = resolveImport(new ImportBinding('acorn', ['parse'], 'file:///nowhere/app.ts'), root)

    expect(fromHere).toBeTypeOf('function')
    expect(relative).toMatch(/as \.\/app\.ts does\. The module failed to load/)
    await expect(fromElsewhere).rejects.toThrow(/Cannot import "acorn#parse" as file:\/\/\/nowhere\/app\.ts does/)
  })

  test('is refused where there is no such export', async () => {
    await expect(resolveImport(new ImportBinding('node:crypto', ['createHsah']), root)).rejects.toThrow(/It has no "createHsah" here/)
    await expect(resolveImport(new ImportBinding('./tasks.ts', ['add', 'a', 'b']), root)).rejects.toThrow(UnreachableFunctionError)
  })

  test.each(['../parameters.test.ts', './../parameters.test.ts', './closures.json', './gone.ts', './../../../node_modules/acorn/dist/acorn.mjs'])(
    'from the root does not lead to %j',
    async (specifier) => {
      await expect(resolveImport(new ImportBinding(specifier, []), root)).rejects.toThrow(UnreachableFunctionError)
    },
  )
})

describe("what Node and JavaScript define is known by identity", () => {
  const { fetch } = globalThis
  afterEach(() => {
    globalThis.fetch = fetch
  })

  test.each([
    [createHash, 'node:crypto', ['default', 'createHash']],
    [fs, 'node:fs', ['default']],
    [fs.promises.readFile, 'node:fs/promises', ['default', 'readFile']],
    [Math.max, 'globalThis', ['Math', 'max']],
    [JSON, 'globalThis', ['JSON']],
    [Array.prototype.map, 'globalThis', ['Array', 'prototype', 'map']],
    [Object.defineProperty, 'globalThis', ['Object', 'defineProperty']],
    [process.cwd, 'node:process', ['default', 'cwd']],
    [globalThis, 'globalThis', []],
  ])('%o is %s and %j', async (value, specifier, path) => {
    const binding = builtinBinding(value)

    expect(binding).toEqual(new ImportBinding(specifier, path))
    expect(binding && (await resolveImport(binding, root))).toBe(value)
  })

  test('but not what a program puts in its place', () => {
    globalThis.fetch = async () => new Response()

    expect(builtinBinding(globalThis.fetch)).toBeUndefined()
    expect(builtinBinding(tasks.add)).toBeUndefined()
    expect(builtinBinding({})).toBeUndefined()
    expect(builtinBinding('fs')).toBeUndefined()
  })
})

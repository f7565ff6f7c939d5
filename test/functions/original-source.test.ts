import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { transform as swc } from '@swc/core'
import { transform } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const source = join(import.meta.dirname, '..', '..', 'src', 'functions')
const program = readFileSync(join(import.meta.dirname, 'fixtures', 'mapped.ts'), 'utf8')
/** The lines on which the functions of the program throw, by the comment at their end. */
const lines = Object.fromEntries([...program.split('\n').entries()].flatMap(([line, text]) => [...text.matchAll(/\/\/ line: (\w+)$/g)].map(([, name = '']) => [name, line + 1])))

let root = ''

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'celeriac-mapped-')))
  mkdirSync(join(root, 'src'))
  mkdirSync(join(root, 'dist'))
  writeFileSync(join(root, 'src', 'mapped.ts'), program)
  writeFileSync(join(root, 'dist', 'beside.mjs'), 'export const where = "beside the compiled file"\n')
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Runs the compiled program, which sends its functions by value and prints where each throws. */
async function thrownAt(compiled: string, execArgv: readonly string[] = []): Promise<Record<string, unknown>> {
  const { stdout } = await run(process.execPath, [...execArgv, compiled], { env: { ...process.env, FUNCTIONS: pathToFileURL(source).href, ROOT: root }, timeout: 20_000 })
  return JSON.parse(stdout) as Record<string, unknown>
}

const expected = (): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(lines).map(([name, line]) => [name, `${join(root, 'src', 'mapped.ts')}:${line}`])),
})

describe('a function of a compiled module is named with its original file and line', () => {
  test.each(['esm', 'cjs'] as const)('when esbuild has made it into %s, with a map in the file', async (format) => {
    const { code } = await transform(program, { loader: 'ts', format, sourcemap: 'inline', sourcefile: '../src/mapped.ts', keepNames: true })
    const file = join(root, 'dist', `inline.${format === 'esm' ? 'mjs' : 'cjs'}`)
    writeFileSync(file, code)

    expect(await thrownAt(file)).toMatchObject(expected())
  })

  test('when it is minified, with a map beside the file', async () => {
    const { code, map } = await transform(program, { loader: 'ts', format: 'esm', minify: true, sourcemap: 'external', sourcefile: '../src/mapped.ts', keepNames: true })
    const file = join(root, 'dist', 'minified.mjs')
    writeFileSync(file, `${code}\n//# sourceMappingURL=minified.mjs.map\n`)
    writeFileSync(`${file}.map`, map)

    expect(await thrownAt(file)).toMatchObject(expected())
  })

  test.each(['es6', 'commonjs'] as const)('when swc has made it into %s', async (type) => {
    const { code } = await swc(program, { filename: '../src/mapped.ts', sourceMaps: 'inline', jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type, ignoreDynamic: true } })
    const file = join(root, 'dist', `swc.${type === 'es6' ? 'mjs' : 'cjs'}`)
    writeFileSync(file, code)

    expect(await thrownAt(file)).toMatchObject(expected())
  })

  test('when Node applies source maps itself', async () => {
    const { code } = await transform(program, { loader: 'ts', format: 'esm', sourcemap: 'inline', sourcefile: '../src/mapped.ts', keepNames: true })
    const file = join(root, 'dist', 'applied.mjs')
    writeFileSync(file, code)
    const dotted = Object.fromEntries(Object.entries(lines).map(([name, line]) => [name, `${join(root, 'src')}/./mapped.ts:${line}`]))

    expect(await thrownAt(file, ['--enable-source-maps'])).toMatchObject(dotted)
  })
})

test('without a map it is named with the file that runs, and imports are relative to that in any case', async () => {
  const mapped = await transform(program, { loader: 'ts', format: 'esm', sourcemap: 'inline', sourcefile: '../src/mapped.ts', keepNames: true })
  const plain = await transform(program, { loader: 'ts', format: 'esm', keepNames: true })
  const lost = `${plain.code}\n//# sourceMappingURL=lost.mjs.map\n`
  const answers = []
  for (const [name, code] of Object.entries({ mapped: mapped.code, plain: plain.code, lost })) {
    writeFileSync(join(root, 'dist', `${name}.mjs`), code)
    answers.push(await thrownAt(join(root, 'dist', `${name}.mjs`)))
  }

  expect(answers.map(({ imported }) => imported)).toEqual(Array.from({ length: 3 }, () => 'beside the compiled file'))
  expect(answers[1]?.['arrow']).toMatch(/dist\/plain\.mjs:\d+$/)
  expect(answers[2]?.['arrow']).toMatch(/dist\/lost\.mjs:\d+$/)
})

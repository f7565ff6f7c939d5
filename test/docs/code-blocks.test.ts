import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import * as celeriac from '../../src/index.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { type CodeBlock, codeBlocks, promisedOutput, ROOT } from './code-blocks.ts'
import { createProject, linkBuilt, plainEnvironment } from './project.ts'

const PAGES = ['README.md', 'docs/guide.md', 'docs/functions.md', 'docs/configuration.md', 'docs/python.md']
/** Files of the guide whose exports its other blocks, and those of docs/functions.md, use by name. */
const SHARED = ['tasks.ts', 'celery.ts']
const RUN_MS = 25_000
/** What we ask of our own sources and nobody needs to ask of an example. */
const LOOSE = { noUnusedLocals: false, noUnusedParameters: false, noPropertyAccessFromIndexSignature: false }

failOnLeftovers()

let folder: string

beforeAll(() => {
  folder = createProject(['fastify', '@types/node'])
  for (const page of PAGES) writeBlocks(page)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('every block of TypeScript in the documents compiles', () => {
  writeFileSync(join(folderOf('docs/guide.md'), 'globals.d.ts'), globals())
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: `${ROOT}/tsconfig.json`,
      compilerOptions: { ...LOOSE, typeRoots: ['./node_modules/@types'], paths: { celeriac: [`${ROOT}/src/index.ts`] } },
      include: ['**/*.ts'],
    }),
  )

  const { status, stdout } = spawnSync('tsc', ['-p', folder, '--pretty', 'false'], { encoding: 'utf8' })

  expect(stdout).toBe('')
  expect(status).toBe(0)
})

describe('the guide, with its page on functions,', () => {
  const blocks = ['docs/guide.md', 'docs/functions.md'].flatMap(codeBlocks).filter(({ runs }) => runs)
  let printed: string[][]

  beforeAll(async () => {
    linkBuilt(folder)
    printed = await runAll(blocks)
  }, RUN_MS + 5_000)

  test.each(blocks.map((block, index) => ({ index, promised: promisedOutput(block) })))('prints what block $index says: $promised', ({ index, promised }) => {
    expect(promised).not.toEqual([])
    expect(printed[index]).toEqual(promised)
  })
})

/** Runs the blocks one after the other, all with one application, and gives what each printed, line by line. */
async function runAll(blocks: readonly CodeBlock[]): Promise<string[][]> {
  const guide = folderOf('docs/guide.md')
  const marker = '--- next block'
  const files = blocks.map((_block, index) => `run-${index}.ts`)
  for (const [index, file] of files.entries()) writeFileSync(join(guide, file), `${blocks[index]?.code}\nexport {}\n`)
  writeFileSync(
    join(guide, 'main.ts'),
    [
      `Object.assign(globalThis, await import('celeriac'), ${SHARED.map((file) => `await import('./${file}')`).join(', ')})`,
      ...files.map((file) => `await import('./${file}')\nconsole.log('${marker}')`),
      'await celery.close()',
    ].join('\n'),
  )

  const env = plainEnvironment({ CELERY_ROOT: guide })
  const { stdout } = await promisify(execFile)(process.execPath, ['main.ts'], { cwd: guide, env, timeout: RUN_MS })

  return stdout.split(`${marker}\n`).map((output) => output.split('\n').slice(0, -1))
}

/** Each block in its own file: the one that it names, or a numbered one. */
function writeBlocks(page: string): void {
  mkdirSync(folderOf(page), { recursive: true })
  for (const [index, { code, file }] of codeBlocks(page).entries()) writeFileSync(join(folderOf(page), file ?? `${basename(page, '.md')}-${index}.ts`), code)
}

/** The page on functions goes on where the guide ends. */
function folderOf(page: string): string {
  return join(folder, page === 'docs/functions.md' ? 'guide' : basename(page, '.md'))
}

/** What blocks of the guide use without importing it. */
function globals(): string {
  const shared = codeBlocks('docs/guide.md').filter(({ file }) => file !== undefined && SHARED.includes(file))
  const exported = shared.flatMap(({ code, file }) => exportsOf(code).map((name) => [name, `./${file}`] as const))
  const names = [...exported, ...Object.keys(celeriac).map((name) => [name, 'celeriac'] as const)]
  return `export {}\ndeclare global {\n${names.map(([name, from]) => `  const ${name}: typeof import('${from}').${name}\n`).join('')}}\n`
}

function exportsOf(code: string): string[] {
  return [...code.matchAll(/^export (?:async )?(?:const|function) (\w+)/gm)].map(([, name = '']) => name)
}

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sourceTree } from '../support/source-tree.ts'

const CONFIG = new URL('../../.oxlintrc.json', import.meta.url)
const OXLINT = new URL('../../node_modules/.bin/oxlint', import.meta.url)
const TSCONFIG = '{ "compilerOptions": { "strict": true, "target": "es2024", "module": "nodenext", "types": [] } }'

test.each([
  ['a floating promise', 'typescript(no-floating-promises)', 'src/task.ts', 'async function send() {}\nexport function delay() {\n  send()\n}\n'],
  ['a promise where a value is expected', 'typescript(no-misused-promises)', 'src/task.ts', 'export async function ready() {\n  return true\n}\nexport const state = () => {\n  if (ready()) return 1\n  return 2\n}\n'],
  ['an explicit any', 'typescript(no-explicit-any)', 'src/task.ts', 'export const value: any = 1\n'],
  ['the use of an any', 'typescript(no-unsafe-member-access)', 'src/task.ts', 'export const id = (text: string): unknown => JSON.parse(text).id\n'],
  ['an unused variable', 'eslint(no-unused-vars)', 'test/task.ts', 'const unused = 1\nexport const used = 2\n'],
  ['console', 'eslint(no-console)', 'src/task.ts', "console.log('sent')\n"],
  ['a type imported as a value', 'typescript(consistent-type-imports)', 'src/task.ts', "import { Broker } from './broker.ts'\nexport type Sender = Broker\n"],
  ['a type imported inline, which the check of imports does not see', 'typescript(consistent-type-imports)', 'src/task.ts', "export type Sender = import('./broker.ts').Broker\n"],
  ['@ts-ignore', 'typescript(ban-ts-comment)', 'test/task.ts', "// @ts-ignore\nexport const count: number = 'one'\n"],
])('finds %s', (_what, rule, file, source) => {
  const { status, found } = lint({ [file]: source })

  expect(found).toContain(rule)
  expect(status).toBe(1)
})

test.each([
  ['console in src/cli', 'src/cli/main.ts', "console.log('ready')\n"],
  ['an awaited promise', 'src/task.ts', 'async function send() {}\nexport async function delay() {\n  await send()\n}\n'],
  ['@ts-expect-error', 'test/types/task.ts', "// @ts-expect-error a number is expected\nexport const count: number = 'one'\n"],
])('allows %s', (_what, file, source) => {
  const { status, found } = lint({ [file]: source })

  expect(found).toEqual([])
  expect(status).toBe(0)
})

/** Runs the linter with the project's own configuration on a tree that holds only these files. */
function lint(files: Readonly<Record<string, string>>): { status: number | null; found: string[] } {
  const cwd = sourceTree({ '.oxlintrc.json': readFileSync(CONFIG, 'utf8'), 'tsconfig.json': TSCONFIG, 'src/broker.ts': 'export interface Broker {\n  url: string\n}\n', ...files })
  const { status, stdout, stderr } = spawnSync(OXLINT.pathname, ['--type-aware', '--deny-warnings', '--format', 'json', 'src', 'test'], { cwd, encoding: 'utf8' })
  if (!stdout.startsWith('{')) throw new Error(`Expected oxlint to report in JSON, got:\n${stdout}${stderr}`)

  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string }[] }
  return { status, found: diagnostics.map(({ code }) => code) }
}

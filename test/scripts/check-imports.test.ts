import { expect, test } from 'vitest'
import { checkImports } from '../../scripts/check-imports.ts'
import { sourceTree } from '../support/source-tree.ts'

test('allows imports of lower layers and of the same folder', async () => {
  const root = sourceTree({
    'src/errors.ts': 'export const code = 1',
    'src/brokers/sqlite/claim.ts': `import { code } from '../../errors.ts'\nexport const claim = code`,
    'src/brokers/sqlite/broker.ts': `import { claim } from './claim.ts'\nexport const broker = claim`,
    'src/brokers/open.ts': `export const open = async () => import('./sqlite/broker.ts')`,
    'src/index.ts': `export { code } from './errors.ts'`,
    'src/cli/main.ts': `import { code } from '../index.ts'\nexport const main = code`,
  })

  const report = await checkImports(root)

  expect(report).toEqual({ modules: 6, problems: [] })
})

test('refuses a circle that only import type closes', async () => {
  const root = sourceTree({
    'src/task.ts': `import type { Registry } from './registry.ts'\nexport interface Task { registry: Registry }`,
    'src/registry.ts': `import type { Task } from './task.ts'\nexport interface Registry { tasks: Task[] }`,
  })

  const { problems } = await checkImports(root)

  expect(problems).toEqual([expect.stringMatching(/^src\/registry\.ts -> src\/task\.ts -> src\/registry\.ts is a circle\./)])
})

test.each([
  ['a value', `import { app } from '../app.ts'\nexport const copy = app`],
  ['a type', `import type { App } from '../app.ts'\nexport type Copy = App`],
  ['a re-exported type', `export type { App } from '../app.ts'`],
  ['everything', `export * from '../app.ts'`],
  ['a module at run time', `export const load = async () => import('../app.ts')`],
])('refuses an upward import of %s', async (_what, source) => {
  const root = sourceTree({ 'src/protocol/message.ts': source, 'src/app.ts': 'export const app = 1\nexport type App = number' })

  const { problems } = await checkImports(root)

  expect(problems).toEqual(['src/protocol/message.ts imports src/app.ts, which stands above it.'])
})

test.each([
  ['src/brokers/memory.ts', 'src/backends/memory.ts', 'which stands beside it'],
  ['src/config/load.ts', 'src/functions/graph.ts', 'which stands beside it'],
  ['src/brokers/redis/claim.ts', 'src/brokers/amqp/channel.ts', 'another driver'],
  ['src/app.ts', 'src/index.ts', 'which stands above it'],
  ['src/registry.ts', 'src/app.ts', 'which stands above it'],
  ['src/worker/worker.ts', 'src/services/local.ts', 'which stands above it'],
])('refuses that %s imports %s', async (file, imported, reason) => {
  const up = '../'.repeat(file.split('/').length - 2) || './'
  const root = sourceTree({ [file]: `import { value } from '${up}${imported.slice('src/'.length)}'\nexport const copy = value`, [imported]: 'export const value = 1' })

  const { problems } = await checkImports(root)

  expect(problems).toEqual([expect.stringContaining(`${file} imports ${imported}, ${reason}`)])
})

test('refuses a file that belongs to no layer', async () => {
  const root = sourceTree({ 'src/utils/text.ts': 'export const text = 1' })

  const { problems } = await checkImports(root)

  expect(problems).toEqual(['src/utils/text.ts belongs to no layer. Add it to LAYERS in scripts/check-imports.ts.'])
})

test('refuses to call an unread tree clean', async () => {
  const root = sourceTree({ 'src/readme.md': '' })

  await expect(checkImports(root)).rejects.toThrow('Expected to read all 0 modules')
})

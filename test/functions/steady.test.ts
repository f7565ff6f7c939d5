import { expect, test } from 'vitest'
import { runFixture } from './fixtures/run-node.ts'

test('a function goes by the name under which another process finds it, and by value when that was changed at run time', async () => {
  const printed = await runFixture('steady-main.ts')

  expect(printed).toEqual({
    before: ['tasks.get', 'tasks.add', 'list.0', 'Jobs.get', 'Jobs.Inner', 'defaults.format', 'value', 'once', 'late.run'],
    after: ['value', 'value', 'value'],
  })
})

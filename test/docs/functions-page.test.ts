import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { withValueTable } from './functions-page.ts'

const PAGE = `${import.meta.dirname}/../../docs/functions.md`

test('docs/functions.md lists every value whose way is tested (write it anew with: vitest run test/docs/functions-page.test.ts --update)', async () => {
  await expect(withValueTable(readFileSync(PAGE, 'utf8'))).toMatchFileSnapshot(PAGE)
})

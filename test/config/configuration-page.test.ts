import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { withOptionTable } from './configuration-page.ts'

const PAGE = `${import.meta.dirname}/../../docs/configuration.md`

test('docs/configuration.md lists every option as the table has it (write it anew with: vitest run test/config --update)', async () => {
  await expect(withOptionTable(readFileSync(PAGE, 'utf8'))).toMatchFileSnapshot(PAGE)
})

/*
 * Runs the corpus and prints, as JSON, what is wrong and what differs between variants, with the reasons.
 * `node test/functions/corpus/differences.ts [--here] [part of a variant's name…]`
 */
import { isUnexpected, type Report } from './report.ts'
import { runVariant } from './run-variant.ts'
import { VARIANTS } from './variants.ts'
import { openWorkshop } from './workshop.ts'

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const mode = process.argv.includes('--here') ? 'here' : 'submit'
const workshop = await openWorkshop()
try {
  for (const variant of VARIANTS.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)))) {
    const startedAt = performance.now()
    const reports = await runVariant(variant, workshop, mode).catch((error: Error) => error)
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10
    console.log(JSON.stringify(reports instanceof Error ? { variant: variant.name, seconds, failure: reports.message } : { variant: variant.name, seconds, ...summary(reports) }, null, 2))
  }
} finally {
  workshop.remove()
}

function summary(reports: readonly Report[]): object {
  const counts = Object.fromEntries(['right', 'threw', 'refused', 'WRONG', 'FAILED', 'WRONG HERE'].map((name) => [name, reports.filter(({ outcome }) => outcome === name).length]))
  return {
    rows: reports.length,
    ...counts,
    wrong: reports.filter(isUnexpected),
    elsewhere: reports.filter(({ here }) => here !== undefined).map(({ title, here, detail }) => ({ title, here, detail })),
    differs: reports.filter(({ differs }) => differs !== undefined).map(({ title, differs, detail }) => ({ title, differs, detail })),
  }
}

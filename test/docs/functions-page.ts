import { type Report } from '../functions/corpus/report.ts'
import { fidelity } from '../graph/fidelity.ts'

/** The page with its table of values written anew. */
export function withValueTable(page: string): string {
  const rows = fidelity.map(({ title, refusedAsResult }) => [title, 'as it was', refusedAsResult === undefined ? 'as it was' : 'refused'])
  return withTable(page, 'values', ['Value', 'Argument, captured', 'Result, progress'], rows)
}

/** The page with its table of what compilers change written anew; `reports` by the name of the variant. */
export function withCompilerTable(page: string, reports: ReadonlyMap<string, readonly Report[]>): string {
  const byReason = new Map<string, { readonly variants: Set<string>; readonly outcomes: Set<string>; readonly titles: Set<string> }>()
  for (const [variant, rows] of reports) {
    for (const { differs, outcome, title } of rows) {
      if (differs === undefined) continue
      const entry = byReason.get(differs) ?? { variants: new Set(), outcomes: new Set(), titles: new Set() }
      byReason.set(differs, entry)
      entry.variants.add(variant)
      entry.outcomes.add(outcome === 'refused' ? 'refused' : 'another value')
      entry.titles.add(title)
    }
  }
  const rows = [...byReason].map(([reason, { variants, outcomes, titles }]) => [[...variants].join(', '), [...titles].join('; '), [...outcomes].join(', '), reason])
  return withTable(page, 'compilers', ['Compiled by', 'Shape of the function', 'There', 'Why'], rows)
}

function withTable(page: string, name: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const begin = `<!-- ${name}: made by test/docs/functions-page.ts -->`
  const [before, rest] = [page.slice(0, page.indexOf(begin)), page.slice(page.indexOf(`<!-- /${name} -->`))]
  if (!page.includes(begin) || !rest.startsWith('<!--')) throw new Error(`The page must contain the lines "${begin}" and "<!-- /${name} -->".`)
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`).join('')
  return `${before}${begin}\n\n${table}\n${rest}`
}

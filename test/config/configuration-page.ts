import { environmentSpellings, spellings } from '../../src/config/aliases.ts'
import type { OptionName } from '../../src/config/celery-options.ts'
import { DURATION_FORMS } from '../../src/config/duration.ts'
import { OPTION_NAMES, OPTIONS } from '../../src/config/options.ts'

const BEGIN = '<!-- options: written from src/config/options.ts -->'
const END = '<!-- end of options -->'

/** The page with its table of options written anew. */
export function withOptionTable(page: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`The page must contain the lines "${BEGIN}" and "${END}".`)
  return `${page.slice(0, begin)}${BEGIN}\n\n${optionTable()}\n${page.slice(end)}`
}

function optionTable(): string {
  const head = ['Option', 'Default', 'Meaning', 'Environment', 'Other names']
  const rows = [head, head.map(() => '---'), ...OPTION_NAMES.map(row)]
  return rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function row(name: OptionName): string[] {
  const { defaultText, meaning, kind, unit } = OPTIONS[name]
  const inEnvironment = environmentSpellings(name)
  const others = spellings(name).filter((spelling) => spelling !== name && !inEnvironment.includes(spelling))
  const value = `${kind.expected.replace(DURATION_FORMS, 'seconds')}${unit === 'bytes' || unit === 'characters' ? ` (${unit})` : ''}`
  return [code(name), defaultText ?? code(JSON.stringify(OPTIONS[name].default)), `${meaning} Takes ${value}.`, list(inEnvironment), list(others)]
}

function list(names: readonly string[]): string {
  return names.map(code).join(', ')
}

function code(text: string): string {
  return `\`${text}\``
}

import { isUpperCase, snakeCase } from './celery-settings.ts'
import type { OptionName } from './celery-options.ts'
import { OPTION_NAMES, OPTIONS } from './options.ts'

/** An option found under one of its names. */
export interface Spelling {
  readonly option: OptionName
  /** 0 for the newest spelling; when two are used, the lower rank wins. */
  readonly rank: number
}

/** How an option may be written in an object, the newest spelling first. */
export function spellings(option: OptionName): string[] {
  const { celeryName, aliases = [], environmentName } = OPTIONS[option]
  const snake = snakeCase(option)
  const prefixed = environmentName === undefined ? [`CELERY_${snake.toUpperCase()}`] : []
  // A name of one word in capitals (TIMEZONE) would also match what has nothing to do with Celery.
  const capitals = celeryName?.includes('_') ? [celeryName.toUpperCase()] : []
  return [...new Set([option, snake, ...prefixed, ...capitals, ...aliases])]
}

/** How an option may be written in the environment, the newest spelling first. */
export function environmentSpellings(option: OptionName): string[] {
  const own = OPTIONS[option].environmentName
  return own === undefined ? spellings(option).filter((spelling) => spelling.startsWith('CELERY')) : [own]
}

const IN_OBJECTS = bySpelling(spellings)
const IN_ENVIRONMENT = bySpelling(environmentSpellings)

/** The option that a key of an object stands for. */
export function findOption(key: string): Spelling | undefined {
  return IN_OBJECTS.get(key)
}

/** The option that an environment variable stands for. */
export function findEnvironmentOption(key: string): Spelling | undefined {
  return IN_ENVIRONMENT.get(key)
}

/** Every option in the way `key` is written: capitals, with underscores, or camelCase. */
export function namesInStyleOf(key: string): string[] {
  if (isUpperCase(key)) return [...IN_ENVIRONMENT.keys()].filter((name) => name.startsWith('CELERY'))
  return key.includes('_') ? OPTION_NAMES.map(snakeCase) : [...OPTION_NAMES]
}

function bySpelling(spell: (option: OptionName) => string[]): ReadonlyMap<string, Spelling> {
  return new Map(OPTION_NAMES.flatMap((option) => spell(option).map((key, rank): [string, Spelling] => [key, { option, rank }])))
}

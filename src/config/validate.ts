import { isDeepStrictEqual } from 'node:util'
import { findEnvironmentOption, findOption, namesInStyleOf, type Spelling } from './aliases.ts'
import type { OptionName } from './celery-options.ts'
import { unavailableSetting } from './celery-settings.ts'
import { refuse, type Where } from './kinds.ts'
import { nearest } from './nearest.ts'
import { OPTIONS } from './options.ts'

/** What one source of configuration says, every value in its internal form. */
export interface Layer {
  readonly values: ReadonlyMap<OptionName, unknown>
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** How one source of configuration is read. */
interface Source {
  find(key: string): Spelling | undefined
  readonly place: string
  /** Adds to `problems` or `warnings` what is to be said of a key that is no option. */
  unknown(key: string, problems: string[], warnings: string[]): void
  /** Options that a stronger source has decided: they are not even looked at. */
  readonly decided: ReadonlySet<OptionName>
}

const NOTHING_DECIDED: ReadonlySet<OptionName> = new Set()

/** Reads options that were written for us alone: a name that is not one is a problem. */
export function readOptions(values: unknown, decided: ReadonlySet<OptionName> = NOTHING_DECIDED): Layer {
  return readObject(values, { find: findOption, place: '', decided, unknown: (key, problems) => problems.push(unknownOption(key)) })
}

/** Reads the configuration of a whole web application: names that have nothing to do with Celery are left alone. */
export function readForeign(values: unknown, decided: ReadonlySet<OptionName> = NOTHING_DECIDED): Layer {
  return readObject(values, {
    find: findOption,
    place: '',
    decided,
    unknown(key, problems, warnings) {
      if (!isCeleryLike(key)) return
      if (unavailableSetting(key) !== undefined) problems.push(unknownOption(key))
      else warnNearMiss(key, '', warnings)
    },
  })
}

/** Reads environment variables. An empty one counts as not set. */
export function readEnvironment(env: NodeJS.ProcessEnv, decided: ReadonlySet<OptionName>): Layer {
  const place = ' in the environment'
  const entries = Object.entries(env).filter(([key, value]) => key.startsWith('CELER') && value !== undefined && value.trim() !== '')
  const decoded = entries.map(([key, value = '']): [string, unknown] => {
    const found = findEnvironmentOption(key)
    return [key, found === undefined ? value : OPTIONS[found.option].kind.fromText(value)]
  })
  return readEntries(decoded, {
    find: findEnvironmentOption,
    place,
    decided,
    unknown(key, _problems, warnings) {
      if (unavailableSetting(key) === undefined) warnNearMiss(key, place, warnings)
      else warnings.push(`${unavailable(key, place)} It was ignored.`)
    },
  })
}

function readObject(values: unknown, source: Source): Layer {
  const isObject = (typeof values === 'object' && values !== null && !Array.isArray(values)) || typeof values === 'function'
  if (isObject) return readEntries(enumerableEntries(values), source)
  const problems: string[] = []
  refuse(values, 'an object of options', { name: 'options', place: '' }, problems)
  return { values: new Map(), problems, warnings: [] }
}

function readEntries(entries: readonly (readonly [string, unknown])[], source: Source): Layer {
  const values = new Map<OptionName, unknown>()
  const problems: string[] = []
  const warnings: string[] = []
  const winners = new Map<OptionName, Spelling & { key: string }>()
  for (const [key, value] of entries) {
    if (value === undefined) continue
    const found = source.find(key)
    if (found === undefined) {
      source.unknown(key, problems, warnings)
      continue
    }
    if (source.decided.has(found.option)) continue
    const read = readValue(found.option, value, { name: key, place: source.place }, problems)
    const rival = winners.get(found.option)
    const wins = rival === undefined || found.rank < rival.rank
    if (rival !== undefined && !isDeepStrictEqual(values.get(found.option), read)) {
      const [winner, loser] = wins ? [key, rival.key] : [rival.key, key]
      warnings.push(`"${winner}" and "${loser}"${source.place} say different things; "${winner}" is used.`)
    }
    if (!wins) continue
    winners.set(found.option, { ...found, key })
    values.set(found.option, read)
  }
  return { values, problems, warnings }
}

function readValue(option: OptionName, value: unknown, where: Where, problems: string[]): unknown {
  return OPTIONS[option].kind.read(value, where, problems)
}

/** Own and inherited entries: a configuration may be a class with static fields that extends another. */
function enumerableEntries(values: object): [string, unknown][] {
  const entries: [string, unknown][] = []
  for (const key in values) entries.push([key, (values as Record<string, unknown>)[key]])
  return entries
}

function unknownOption(key: string): string {
  if (unavailableSetting(key) !== undefined) return `${unavailable(key, '')} Remove it.`
  const name = nearest(key, namesInStyleOf(key))
  return `"${key}" is not an option${name === undefined ? '; docs/configuration.md lists them all.' : `; did you mean "${name}"?`}`
}

function unavailable(key: string, place: string): string {
  const name = unavailableSetting(key)
  const shown = name === key ? `"${key}"${place} is a Celery setting` : `"${key}"${place} is Celery's setting "${name}"`
  return `${shown}, which is not available in this version.`
}

function warnNearMiss(key: string, place: string, warnings: string[]): void {
  const name = nearest(key, namesInStyleOf(key), 'strict')
  if (name !== undefined) warnings.push(`"${key}"${place} is not an option and was ignored; did you mean "${name}"?`)
}

/** Celery's prefix, or the first word of its groups of settings. Other words are too common to claim. */
function isCeleryLike(key: string): boolean {
  return /^(celery|broker_)/i.test(key) || /^(task|worker|result|broker|accept|beat|event|control)(_|[A-Z])/.test(key)
}

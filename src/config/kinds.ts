import { DURATION_FORMS, parseDuration } from './duration.ts'
import { nearest } from './nearest.ts'
import { maskUrl } from './url.ts'

/** What values an option takes, and how they are read. */
export interface Kind<T> {
  /** In words, to follow "must be". */
  readonly expected: string
  /** Turns the text of an environment variable into what a program would have written. */
  fromText(text: string): unknown
  /** The value in its one internal form; undefined after adding to `problems` what is wrong with it. */
  read(value: unknown, where: Where, problems: string[]): T | undefined
}

/** Where a value was found, for messages. */
export interface Where {
  /** As it was spelt there; parts inside it are joined by dots, e.g. `workers.foo.concurrency`. */
  readonly name: string
  /** Follows the name: empty, or e.g. ` in the environment`. */
  readonly place: string
}

/** Text that is not empty. */
export function text(expected = 'text that is not empty'): Kind<string> {
  return kind(expected, (value) => (typeof value === 'string' && value.trim() !== '' ? value : undefined))
}

/** True or false; in the environment also 1, 0, yes and no. */
export function flag(): Kind<boolean> {
  return kind('true or false', (value) => (typeof value === 'boolean' ? value : undefined), flagFromText)
}

/** A whole number between two bounds, both included. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  const expected = max === Number.MAX_SAFE_INTEGER ? `a whole number, at least ${min}` : `a whole number from ${min} to ${max}`
  const fits = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max
  return kind(expected, (value) => (fits(value) ? value : undefined), numberFromText)
}

/** A duration, kept in seconds. */
export function seconds(lowest: 'from 0' | 'above 0'): Kind<number> {
  const isPositive = lowest === 'above 0'
  const read = (value: unknown): number | undefined => {
    const ms = parseDuration(value)
    return ms === undefined || (isPositive && ms === 0) ? undefined : ms / 1000
  }
  return kind(isPositive ? `more than 0 ${DURATION_FORMS}` : DURATION_FORMS, read, numberFromText)
}

/** One of some words, in any case. `aliases` maps other words to them. */
export function choice<T extends string>(words: readonly T[], aliases: Readonly<Record<string, T>> = {}): Kind<T> {
  return kind(`one of ${words.map((word) => `"${word}"`).join(', ')}`, (value) => {
    if (typeof value !== 'string') return undefined
    const word = value.toLowerCase()
    return words.find((known) => known === word) ?? (Object.hasOwn(aliases, word) ? aliases[word] : undefined)
  })
}

/** A list of texts; separated by commas in the environment, and elsewhere too when `orText`. */
export function textList(options: { orText?: boolean } = {}): Kind<readonly string[]> {
  const isText = (item: unknown): item is string => typeof item === 'string' && item.trim() !== ''
  return kind(
    options.orText ? 'a list of texts, or one text with commas' : 'a list of texts',
    (value) => {
      const items: unknown = options.orText && typeof value === 'string' ? splitCommas(value) : value
      return Array.isArray(items) && items.every(isText) ? [...items] : undefined
    },
    splitCommas,
  )
}

/** The kinds of the named parts of an object. */
export type Parts<T> = { readonly [Name in keyof T]-?: Kind<NonNullable<T[Name]>> }

/** An object whose parts are named; each may be left out. `aliases` maps other names to them. JSON in the environment. */
export function record<T extends object>(parts: Parts<T>, aliases: Readonly<Record<string, keyof T & string>> = {}): Kind<Partial<T>> {
  const names = Object.keys(parts) as (keyof T & string)[]
  const expected = `an object of ${names.join(', ')}`
  return {
    expected,
    fromText: jsonFromText,
    read(value, where, problems) {
      if (!isPlainObject(value)) return refuse(value, expected, where, problems)
      const read: Partial<T> = {}
      for (const [key, part] of Object.entries(value)) {
        if (part === undefined) continue
        const name = names.find((known) => known === key) ?? (Object.hasOwn(aliases, key) ? aliases[key] : undefined)
        const here = { ...where, name: `${where.name}.${key}` }
        if (name === undefined) problems.push(unknownName(here, key, names))
        else {
          const partRead = parts[name].read(part, here, problems)
          if (partRead !== undefined) read[name] = partRead
        }
      }
      return read
    },
  }
}

/** Says that nothing has this name, and which name is near. */
export function unknownName(where: Where, key: string, names: readonly string[]): string {
  const name = nearest(key, names)
  return `"${where.name}"${where.place} is not an option; ${name === undefined ? `known are ${names.join(', ')}.` : `did you mean "${name}"?`}`
}

/** Adds the plain problem: what was expected and what came. */
export function refuse(value: unknown, expected: string, where: Where, problems: string[]): undefined {
  problems.push(`"${where.name}"${where.place} must be ${expected}, not ${show(value)}.`)
}

/** A value in a message: short, with passwords masked. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(maskUrl(value)))
  if (Array.isArray(value)) return shorten(`[${value.map(show).join(', ')}]`)
  if (value instanceof Date && Number.isNaN(value.getTime())) return 'an invalid Date'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}

/** True for `{…}`: neither a list nor an instance of some class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The value in `text` when it is JSON, else the text itself. */
export function jsonFromText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The parts between commas, without blanks around them; empty parts are left out. */
export function splitCommas(text: string): string[] {
  return text.split(',').map((part) => part.trim()).filter((part) => part !== '')
}

/** A {@link Kind} from a function that gives undefined for what does not fit. */
export function kind<T>(expected: string, parse: (value: unknown) => T | undefined, fromText = (text: string): unknown => text): Kind<T> {
  return {
    expected,
    fromText,
    read: (value, where, problems) => parse(value) ?? refuse(value, expected, where, problems),
  }
}

function flagFromText(text: string): unknown {
  const word = text.trim().toLowerCase()
  if (['1', 'true', 'yes', 'on'].includes(word)) return true
  return ['0', 'false', 'no', 'off'].includes(word) ? false : text
}

function numberFromText(text: string): unknown {
  return /^\s*-?\d+(\.\d+)?\s*$/.test(text) ? Number(text) : text
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

import { DecodeError } from '../../errors.ts'
import { MOST_DIGITS } from '../json-writer.ts'

/** How the package `yaml` is told of a kind of scalar. */
interface ScalarTag {
  readonly tag: string
  readonly default: true
  readonly test: RegExp
  resolve(text: string): unknown
}

/** Kinds that have to be named in the document, as the package has them. */
const NAMED = ['binary', 'set']

/**
 * What bare words mean to PyYAML, which is not what they mean to other readers of YAML 1.1: `y`, `1e3` and `089` are texts.
 * @see PyYAML `lib/yaml/resolver.py`
 */
const SCALARS: readonly ScalarTag[] = [
  scalar('null', /^(?:~|null|Null|NULL|)$/, () => null),
  scalar('bool', /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON|no|No|NO|false|False|FALSE|off|Off|OFF)$/, (text) => /^(?:yes|true|on)$/i.test(text)),
  scalar('int', /^[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)$/, readInteger),
  scalar('float', /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$/, readFloat),
  scalar('timestamp', /^\d{4}-\d\d-\d\d$|^\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::?\d\d)?))?$/, readTimestamp),
]

/** The tags of a schema, made of those that it has. */
export function yamlTags(tags: readonly unknown[]): unknown[] {
  return [...tags, ...SCALARS, ...NAMED]
}

function scalar(name: string, test: RegExp, resolve: (text: string) => unknown): ScalarTag {
  return { tag: `tag:yaml.org,2002:${name}`, default: true, test, resolve: (text) => (test.test(text) ? resolve(text) : refuse(name, text)) }
}

function refuse(name: string, text: string): never {
  throw new DecodeError(`${JSON.stringify(text.slice(0, 40))} is no ${name}`)
}

function readInteger(text: string): bigint {
  if (text.length > MOST_DIGITS) refuse('int', text)
  const isNegative = text.startsWith('-')
  const digits = text.replace(/^[-+]/, '').replaceAll('_', '')
  const value = digits.includes(':') ? sexagesimal(digits) : BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits.replace(/^0[bx]$/, '0'))
  return isNegative ? -value : value
}

/** `1:30` is 90. */
function sexagesimal(digits: string): bigint {
  return digits.split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n)
}

function readFloat(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1
  const digits = text.replace(/^[-+]/, '').replaceAll('_', '').toLowerCase()
  if (digits === '.nan') return Number.NaN
  if (digits === '.inf') return sign * Infinity
  return sign * digits.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
}

/** Without an offset it is UTC, as everywhere in Celery. */
function readTimestamp(text: string): Date {
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] =
    /^(\d{4})-(\d\d?)-(\d\d?)(?:[Tt \t]+(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?(?:[ \t]*(Z|[-+].+))?)?$/.exec(text) ?? refuse('timestamp', text)
  const ms = Math.floor(Number(`0.${fraction || '0'}`) * 1000)
  const utc = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second), ms)
  const date = new Date(utc)
  if (Number(year) >= 100 && (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day))) refuse('timestamp', text)
  return new Date(utc - offsetOf(zone))
}

/** Milliseconds of `+02`, `+02:00` or `+0200`. */
function offsetOf(zone: string): number {
  const [, sign, hours, minutes = '0'] = /^([-+])(\d\d?)(?::?(\d\d))?$/.exec(zone) ?? []
  if (sign === undefined) return 0
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}

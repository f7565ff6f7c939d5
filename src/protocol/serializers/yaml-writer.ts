import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { digitsOf, isBeyond, timeOf } from '../json-writer.ts'
import { type TreeFormat, writeTree } from '../tree-writer.ts'

/** PyYAML calls itself for each level more than once, and gives up near 1,000 calls. */
const DEEPEST_YAML = 200

/** PyYAML finds the end of a key only so far away, unless a `?` says that it is one. */
const LONGEST_PLAIN_KEY = 100

/** One line of YAML that looks like JSON, every text in quotes, so that no reader takes it for something else. */
const YAML_FORMAT: TreeFormat<string> = {
  deepest: DEEPEST_YAML,
  scalar: String,
  number: writeNumber,
  bigint: digitsOf,
  text: (value) => JSON.stringify(value).replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
  list: (items) => `[${items.join(', ')}]`,
  object: (entries) => `{${entries.map(([key, item]) => (key.length > LONGEST_PLAIN_KEY ? `? ${key} : ${item}` : `${key}: ${item}`)).join(', ')}}`,
  special(value, refuse) {
    if (types.isUint8Array(value)) return `!!binary "${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"`
    return timeOf(value, refuse, (text) => text)
  },
}

/** Characters that YAML takes for the end of a line, or does not allow, and JSON leaves as they are. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g

/**
 * Writes a plain tree with bytes and times as YAML that PyYAML reads as what it is.
 * @throws {@link EncodeError} with the exact path of the first value that cannot be written.
 */
export function writeYaml(value: unknown, path: string): string {
  return writeTree(value, path, YAML_FORMAT)
}

/** PyYAML takes `1e+21` for a text: a float needs its dot. */
function writeNumber(value: number): string {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf'
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  if (text.includes('e')) return text.includes('.') ? text : text.replace('e', '.0e')
  return isBeyond(value) ? `${text}.0` : text
}

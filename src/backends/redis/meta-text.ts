import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { DEEPEST_READ, parseJson } from '../../protocol/json.ts'
import { JSON_FORMAT } from '../../protocol/json-writer.ts'
import { isObject, malformed } from '../../protocol/malformed.ts'
import { formatTime } from '../../protocol/time.ts'
import { type TreeFormat, writeTree } from '../../protocol/tree-writer.ts'
import { restoreTypes } from '../../protocol/typed-values.ts'

/** A meta of a task or a group, as an object. */
export type Meta = Readonly<Record<string, unknown>>

/** Keys of ours in a value say that it is a document, in which nothing stands for a type of kombu's. */
const DOCUMENT_KEY = /^x-celeriac-/

/**
 * Reads the JSON text of a meta. In its result, kombu's `{"__type__", "__value__"}` become what they stand for: bytes, times.
 * @throws {@link DecodeError} when it is no JSON object.
 */
export function parseMeta(text: string): Meta {
  const meta = parseJson(text, 'the result')
  if (!isObject(meta)) throw malformed('the result', 'an object', meta)
  const { result } = meta
  const isDocument = isObject(result) && Object.keys(result).some((key) => DOCUMENT_KEY.test(key))
  return isDocument ? meta : { ...meta, result: restoreTypes(result) }
}

/** JSON text of a meta, as our own have it: its status first, and what JSON has no word for as kombu's `{"__type__", "__value__"}`. */
export function stringifyMeta(meta: Meta): string {
  const { status, ...rest } = meta
  const entries = Object.entries(status === undefined ? rest : { status, ...rest })
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)}: ${writeTree(value, key, META_FORMAT)}`).join(', ')}}`
}

const META_FORMAT: TreeFormat<string> = {
  ...JSON_FORMAT,
  deepest: DEEPEST_READ,
  special(value) {
    if (Buffer.isBuffer(value)) return typed('base64', value.toString('base64'))
    if (types.isDate(value)) return typed('datetime', formatTime(value.getTime()))
    // Python's set, in YAML.
    return types.isSet(value) ? writeTree([...value], 'set', META_FORMAT) : undefined
  },
}

function typed(type: string, value: string): string {
  return `{"__type__":"${type}","__value__":${JSON.stringify(value)}}`
}

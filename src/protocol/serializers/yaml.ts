import { DecodeError, EncodeError } from '../../errors.ts'
import { malformed } from '../malformed.ts'
import { ownValue } from './own-value.ts'
import type { Serializer } from './serializer.ts'
import { yamlTags } from './yaml-tags.ts'
import { writeYaml } from './yaml-writer.ts'

/** What is used of the package `yaml`. */
export interface YamlPackage {
  parseDocument(text: string, options: object): {
    readonly errors: readonly Error[]
    readonly warnings: readonly Error[]
    toJS(options: object): unknown
  }
}

/**
 * How many characters there may be that can begin or end a value, in texts too. With more of them a short message, if hostile, would take
 * its reader many seconds and gigabytes; PyYAML is slower yet.
 */
const MOST_MARKS = 400_000

/** How many values there may be once aliases are copies, in which a short text could hold any number. */
const MOST_VALUES = 1_000_000

/** How many times an alias may be used, times what the library takes it to stand for. PyYAML writes one for each list that is there twice. */
const MOST_ALIASES = 10_000

/** YAML as PyYAML's safe loader and dumper have it. Tags for objects of Python are refused, as everything that the loader refuses. */
export function createYaml(library: YamlPackage): Serializer {
  const options = { version: '1.1', schema: 'failsafe', merge: true, customTags: yamlTags, uniqueKeys: false, prettyErrors: false, logLevel: 'error' }

  const read = (text: string): unknown => {
    try {
      const document = library.parseDocument(text, options)
      const problem = document.errors[0] ?? document.warnings[0]
      if (problem !== undefined) throw problem
      return document.toJS({ mapAsMap: true, maxAliasCount: MOST_ALIASES })
    } catch (error) {
      // Among them the end of the stack, for what is nested too deep.
      throw new DecodeError(`Cannot read yaml: ${(error as Error).message.split('\n')[0]}.`, { cause: error })
    }
  }

  const fit = (text: string, name: string): string => {
    if (hasTooManyMarks(text)) throw new EncodeError(`${name || 'The list'} ${TOO_MUCH}`, name)
    return text
  }

  return {
    encode: (value, name) => fit(writeYaml(value, name), name),
    encodeList: (values, names) => fit(`[${values.map((value, index) => writeYaml(value, names[index] ?? '')).join(', ')}]`, names[0] ?? ''),
    decode(bytes) {
      const text = textOf(bytes)
      if (hasTooManyMarks(text)) throw new DecodeError(`Cannot read yaml: it ${TOO_MUCH}.`)
      return ownValue(read(text), 'yaml', MOST_VALUES)
    },
  }
}

const TOO_MUCH = 'holds more values than yaml is fit for; use json or msgpack, or pass the path of a file'

function hasTooManyMarks(text: string): boolean {
  // Most texts are shorter than that.
  if (text.length <= MOST_MARKS) return false
  let left = MOST_MARKS
  for (const marks = /[\n,:[\]{}"'?&*!-]/g; marks.test(text); ) if (--left < 0) return true
  return false
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (error) {
    throw malformed('the body', 'UTF-8 text', bytes, { cause: error })
  }
}

import { type CompressionName, compressionName, compressionProblem } from '../protocol/encoding.ts'
import { serializerName, type SerializerName, serializerProblem } from '../protocol/serializers/open.ts'
import { type Kind, refuse, show, textList } from './kinds.ts'

/** The serializer of messages or results, by Celery's name or its content type; its package must be there. */
export const serializer: Kind<SerializerName> = named('"json", "msgpack" or "yaml"', serializerName, serializerProblem)

/** Serializers whose messages, or results, are read. */
export const acceptedContent: Kind<readonly SerializerName[]> = listed(serializer)

/** How bodies are compressed, by any of Celery's names. */
export const compression: Kind<CompressionName> = named('"zlib", "brotli" or "zstd"', compressionName, compressionProblem)

/** A name that stands for something; why it does not, if so, is said. */
function named<T extends string>(expected: string, find: (name: string) => T | undefined, problemOf: (name: string) => string | undefined): Kind<T> {
  return {
    expected,
    fromText: (value) => value.trim(),
    read(value, where, problems) {
      if (typeof value !== 'string') return refuse(value, expected, where, problems)
      const problem = problemOf(value)
      if (problem === undefined) return find(value)
      problems.push(`"${where.name}"${where.place} cannot use ${show(value)}: ${problem}`)
      return undefined
    },
  }
}

function listed(kind: Kind<SerializerName>): Kind<readonly SerializerName[]> {
  const base = textList()
  return {
    ...base,
    expected: 'a list of "json", "msgpack" and "yaml"',
    read(value, where, problems) {
      const names = base.read(value, where, problems)
      if (names === undefined) return undefined
      if (names.length === 0) return refuse(value, this.expected, where, problems)
      const read = names.map((name) => kind.read(name, where, problems)).filter((name) => name !== undefined)
      return read.length === names.length ? [...new Set(read)] : undefined
    },
  }
}

import { createRequire } from 'node:module'
import { ImproperlyConfigured } from '../../errors.ts'
import { createMsgpack, type MsgpackPackage } from './msgpack.ts'
import type { Serializer } from './serializer.ts'
import { createYaml, type YamlPackage } from './yaml.ts'

/** A way to write calls, by Celery's name for it. */
export type SerializerName = 'json' | 'msgpack' | 'yaml'

/** What a serializer is on the wire. */
export interface ContentKind {
  readonly contentType: string
  readonly contentEncoding: 'utf-8' | 'binary'
  /** What has to be installed for it. */
  readonly package?: string
}

/** Serializers by Celery's names. */
export const SERIALIZERS: Readonly<Record<SerializerName, ContentKind>> = {
  json: { contentType: 'application/json', contentEncoding: 'utf-8' },
  msgpack: { contentType: 'application/x-msgpack', contentEncoding: 'binary', package: 'msgpackr' },
  yaml: { contentType: 'application/x-yaml', contentEncoding: 'utf-8', package: 'yaml' },
}

/** The serializer of that name or content type; undefined for those that we do not read. */
export function serializerName(nameOrType: string): SerializerName | undefined {
  return BY_NAME_OR_TYPE.get(nameOrType)
}

const BY_NAME_OR_TYPE: ReadonlyMap<string, SerializerName> = new Map(
  (Object.keys(SERIALIZERS) as SerializerName[]).flatMap((name) => [[name, name] as const, [SERIALIZERS[name].contentType, name] as const]),
)

/** Why a serializer of that name cannot be used and what to do; undefined when it can. Loads nothing. */
export function serializerProblem(nameOrType: string): string | undefined {
  const name = serializerName(nameOrType)
  if (name === undefined) return `${refusedSerializers(nameOrType)} Use "json", "msgpack" or "yaml".`
  const needed = SERIALIZERS[name].package
  return needed === undefined || isInstalled(needed) ? undefined : `it needs the package ${needed}, which is not installed. Run: npm install ${needed}`
}

/**
 * The serializer of that name, whose package is loaded with the first use. Loading is synchronous, so that sending is.
 * @throws {@link ImproperlyConfigured} in one line that says what to install.
 */
export function serializerNamed(name: Exclude<SerializerName, 'json'>): Serializer {
  const loaded = name === 'msgpack' ? (msgpack ??= createMsgpack(load(name) as MsgpackPackage)) : (yaml ??= createYaml(load(name) as YamlPackage))
  return loaded
}

let msgpack: Serializer | undefined
let yaml: Serializer | undefined

const require = createRequire(import.meta.url)

function load(name: Exclude<SerializerName, 'json'>): unknown {
  const needed = SERIALIZERS[name].package ?? name
  try {
    return require(needed)
  } catch (error) {
    const problem = isInstalled(needed) ? `the package ${needed} cannot be loaded (${(error as Error).message}). Install it again: npm install ${needed}` : serializerProblem(name)
    throw new ImproperlyConfigured([`The serializer "${name}" cannot be used: ${problem}`], { cause: error })
  }
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}

/** Why other serializers of Celery's are not used. */
function refusedSerializers(nameOrType: string): string {
  if (/pickle|python-serialize/.test(nameOrType)) return 'reading pickle would run code chosen by whoever wrote the message.'
  if (/^(raw|text\/plain|application\/data)$/.test(nameOrType)) return 'raw text or bytes cannot hold the arguments of a task.'
  if (nameOrType === 'auth') return 'messages are signed with "secretKey" in whatever serializer they are.'
  return 'there is no such serializer.'
}

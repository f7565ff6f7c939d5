import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { UnreachableFunctionError } from '../errors.ts'
import { isProvided, type Provided } from './function-code.ts'
import { importFrom, metaOf, pathOfName } from './origin.ts'
import { isHolder } from './own-path.ts'
import { importModule } from './resolve.ts'

/** What stands in place of a specifier for what JavaScript and Node define globally. */
export const GLOBAL_SPECIFIER = 'globalThis'

/** Begins the specifier of what a module is given: its `import.meta`, `import()` and `require`. */
const PROVIDED_PREFIX = 'celeriac:'

/** An import, or a whole namespace (path `[]`), as it travels: resolved again in the other process. */
export class ImportBinding {
  /** As written, e.g. `node:fs` or `lodash`; `./src/x.ts` from the root where there is no origin; `globalThis`. */
  readonly specifier: string
  /** The export, and what is below it; empty for the namespace. */
  readonly path: readonly string[]
  /** The file whose import it is, from which the specifier is resolved. */
  readonly origin: string | undefined

  constructor(specifier: string, path: readonly string[], origin?: string) {
    this.specifier = specifier
    this.path = path
    this.origin = origin
  }
}

/**
 * Imports what a binding names.
 * @throws {@link UnreachableFunctionError} when the module cannot be imported, or exports no such name.
 */
export async function resolveImport(binding: Pick<ImportBinding, 'specifier' | 'path' | 'origin'>, root: string): Promise<unknown> {
  const start = await moduleOfBinding(binding, root)
  const found = binding.path.reduce((holder, name) => {
    if (isHolder(holder) && (binding.specifier === GLOBAL_SPECIFIER ? name in holder : Object.hasOwn(holder, name))) return holder[name]
    throw unresolved(binding, `It has no "${name}" here. Give this process the same code and packages as the one that submits.`)
  }, start)
  return remember(found, binding)
}

/** The binding that gave this process the object, by which it can travel on; undefined for any other. */
export function importedAs(value: object): ImportBinding | undefined {
  return imported.get(value)
}

/** What the module that a function has left gave to it: made again for `origin`, a file as {@link ImportBinding} names it. */
export function provide(kind: Provided, origin: string, root: string): unknown {
  const file = pathOfName(origin, root)
  switch (kind) {
    case 'meta':
      return remember(metaOf(file), { specifier: `${PROVIDED_PREFIX}${kind}`, path: [], origin })
    case 'import':
      // Vite writes a path of its own root as one of the file system's.
      return remember((specifier: string) => importFrom(file)(specifier.startsWith('/') && !existsSync(specifier) ? join(root, specifier) : specifier), { specifier: `${PROVIDED_PREFIX}${kind}`, path: [], origin })
    case 'require':
      return remember(createRequire(file), { specifier: `${PROVIDED_PREFIX}${kind}`, path: [], origin })
    case 'filename':
      return file
    case 'dirname':
      return dirname(file)
  }
}

const imported = new WeakMap<object, ImportBinding>()

function remember<T>(value: T, { specifier, path, origin }: Pick<ImportBinding, 'specifier' | 'path' | 'origin'>): T {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') imported.set(value, new ImportBinding(specifier, path, origin))
  return value
}

async function moduleOfBinding(binding: Pick<ImportBinding, 'specifier' | 'path' | 'origin'>, root: string): Promise<unknown> {
  const { specifier, path, origin } = binding
  if (specifier === GLOBAL_SPECIFIER) return globalThis
  const kind = specifier.startsWith(PROVIDED_PREFIX) ? specifier.slice(PROVIDED_PREFIX.length) : undefined
  if (origin !== undefined && isProvided(kind)) return provide(kind, origin, root)
  if (origin === undefined && specifier.startsWith('.')) return await importModule({ t: 'm', m: specifier, p: path }, root)
  try {
    // Who required it had no need to say what it is.
    const options = specifier.endsWith('.json') ? { with: { type: 'json' } } : undefined
    return await importFrom(pathOfName(origin, root))(specifier, options)
  } catch (cause) {
    throw unresolved(binding, `The module failed to load: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

function unresolved({ specifier, path, origin }: Pick<ImportBinding, 'specifier' | 'path' | 'origin'>, why: string, cause?: unknown): Error {
  const what = JSON.stringify([specifier, ...path].join('#').slice(0, 200))
  const from = origin === undefined ? '' : ` as ${origin} does`
  return new UnreachableFunctionError(`Cannot import ${what}${from}. ${why}`, cause === undefined ? {} : { cause })
}

import { UnreachableFunctionError } from '../errors.ts'
import { importFrom, pathOfName } from './origin.ts'
import { importModule } from './resolve.ts'

/** What stands in place of a specifier for what JavaScript and Node define globally. */
export const GLOBAL_SPECIFIER = 'globalThis'

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
  return binding.path.reduce((holder, name) => {
    if (isHolder(holder) && name in holder) return holder[name]
    throw unresolved(binding, `It has no "${name}" here. Give this process the same code and packages as the one that submits.`)
  }, start)
}

async function moduleOfBinding(binding: Pick<ImportBinding, 'specifier' | 'path' | 'origin'>, root: string): Promise<unknown> {
  const { specifier, path, origin } = binding
  if (specifier === GLOBAL_SPECIFIER) return globalThis
  if (origin === undefined && specifier.startsWith('.')) return await importModule({ t: 'm', m: specifier, p: path }, root)
  try {
    // Who required it had no need to say what it is.
    const options = specifier.endsWith('.json') ? { with: { type: 'json' } } : undefined
    return await importFrom(pathOfName(origin, root))(specifier, options)
  } catch (cause) {
    throw unresolved(binding, `The module failed to load: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

function isHolder(value: unknown): value is Record<string, unknown> {
  return typeof value === 'function' || (typeof value === 'object' && value !== null)
}

function unresolved({ specifier, path, origin }: Pick<ImportBinding, 'specifier' | 'path' | 'origin'>, why: string, cause?: unknown): Error {
  const what = JSON.stringify([specifier, ...path].join('#').slice(0, 200))
  const from = origin === undefined ? '' : ` as ${origin} does`
  return new UnreachableFunctionError(`Cannot import ${what}${from}. ${why}`, cause === undefined ? {} : { cause })
}

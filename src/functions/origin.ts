import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compileFunction, constants } from 'node:vm'
import { quietly } from '../internal/quietly.ts'
import { pathBelow } from './module-path.ts'

type Loader = typeof constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
type Import = (specifier: string, options?: ImportCallOptions) => Promise<unknown>

/** `import.meta` of a function that has left its module. */
export interface OriginMeta {
  readonly url: string
  readonly filename: string
  readonly dirname: string
  readonly main: false
  resolve(specifier: string): string
}

const imports = new Map<string, Import>()
const MOST_IMPORTS = 1_000
let loader: Loader | undefined

/** How a file is named in what travels: `./src/app.ts` below the root, otherwise by its URL. */
export function fileName(file: string, root: string): string {
  const path = pathBelow(root, file)
  return path === undefined ? pathToFileURL(file).href : `./${path}`
}

/** The path that a {@link fileName} means here; for code that was in no file, one directly below the root. */
export function pathOfName(name: string | undefined, root: string): string {
  if (name?.startsWith('file:')) return fileURLToPath(name)
  return join(root, name?.startsWith('./') ? name : '_')
}

/** `import(…)` as it would be in `file`, which need not exist. */
export function importFrom(file: string): Import {
  const known = imports.get(file)
  if (known !== undefined) return known
  const made = compileFunction('return import(specifier, options)', ['specifier', 'options'], {
    filename: file,
    importModuleDynamically: defaultLoader(),
  }) as Import
  if (imports.size >= MOST_IMPORTS) imports.clear()
  imports.set(file, made)
  return made
}

/** The loader of ordinary modules, for code that `node:vm` compiles. */
export function defaultLoader(): Loader {
  loader ??= quietly(() => {
    const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
    // Node says that this is experimental when it is first used, which would otherwise be in a user's function.
    const tryOut = compileFunction("return import('node:module')", [], { importModuleDynamically }) as () => Promise<unknown>
    void tryOut()
    return importModuleDynamically
  })
  return loader
}

/** `import.meta` as it would be in `file`, which is not the script that was started. */
export function metaOf(file: string): OriginMeta {
  const url = pathToFileURL(file).href
  const { resolve } = createRequire(file)
  return {
    url,
    filename: file,
    dirname: dirname(file),
    main: false,
    resolve: (specifier) => {
      if (/^\.{0,2}\//.test(specifier) || URL.canParse(specifier)) return new URL(specifier, url).href
      const found = resolve(specifier)
      return found === specifier ? `node:${specifier.replace(/^node:/, '')}` : pathToFileURL(found).href
    },
  }
}

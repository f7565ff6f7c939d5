import { realpathSync } from 'node:fs'
import { extname, isAbsolute, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Extensions of files that a reference may name. */
export const MODULE_EXTENSIONS: ReadonlySet<string> = new Set(['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx'])

/** True when the file's extension is one of {@link MODULE_EXTENSIONS}. */
export function isModuleFile(file: string): boolean {
  return MODULE_EXTENSIONS.has(extname(file))
}

/** The file behind a script's URL or path; undefined for code that is in no file, such as Node's own. */
export function fileOfUrl(url: string): string | undefined {
  if (url.startsWith('file:')) return fileURLToPath(url)
  return isAbsolute(url) ? url : undefined
}

/** The path of `file` below `root` with `/` separators, both with symbolic links resolved; undefined when it is not below. */
export function pathBelow(root: string, file: string): string | undefined {
  const path = relative(realPath(root), realPath(file))
  if (path === '' || path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)) return undefined
  return path.split(sep).join('/')
}

/** True for a root-relative path that leads through `node_modules`. */
export function isInPackage(path: string): boolean {
  return packageOf(path) !== undefined
}

/** The name of the installed package that a path leads into, the innermost one: `pkg` or `@scope/pkg`; undefined outside of any. */
export function packageOf(path: string): string | undefined {
  const names = path.split('/')
  const start = names.lastIndexOf('node_modules') + 1
  if (start === 0) return undefined
  const [first = '', second = ''] = names.slice(start)
  return first.startsWith('@') ? `${first}/${second}` : first
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

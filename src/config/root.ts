import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'

/**
 * The folder of the user's project: where `.celeriac/` goes and where paths of functions start.
 *
 * The nearest folder with a `package.json`, upwards from the main script; from the working directory when
 * the main script is a tool (something installed, or this package's own command); else the working directory.
 */
export function projectRoot(): string {
  const script = mainScriptFolder()
  return (script && packageFolder(script)) ?? packageFolder(process.cwd()) ?? process.cwd()
}

/** The name of the project at `root`: its package's, else its folder's. */
export function projectName(root: string): string {
  try {
    const contents: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    if (typeof contents === 'object' && contents !== null && 'name' in contents && typeof contents.name === 'string') return contents.name
  } catch {
    // No package.json, or one that is being edited: the folder has a name too.
  }
  return basename(root) || 'main'
}

function mainScriptFolder(): string | undefined {
  const script = process.argv[1]
  if (script === undefined) return undefined
  let path: string
  try {
    path = realpathSync(script)
  } catch {
    return undefined
  }
  const isInstalled = path.split(sep).includes('node_modules')
  const isOurs = path.startsWith(dirname(import.meta.dirname) + sep)
  return isInstalled || isOurs ? undefined : dirname(path)
}

function packageFolder(folder: string): string | undefined {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  return parent === folder ? undefined : packageFolder(parent)
}

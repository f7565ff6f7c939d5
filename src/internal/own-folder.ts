import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Makes a folder for files of ours if it is missing, for this user only; `.celeriac` keeps itself out of git. */
export function makeOwnFolder(path: string): void {
  makeFolder(path)
  if (basename(path) !== '.celeriac' || existsSync(join(path, '.gitignore'))) return
  ignoreExisting(() => writeFileSync(join(path, '.gitignore'), '*\n', { mode: 0o600, flag: 'wx' }))
}

/** Does nothing more when what `make` makes is there already: another process may be making the same thing. */
export function ignoreExisting(make: () => void): void {
  try {
    make()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** One folder at a time: Node's own recursive way never returns below /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  ignoreExisting(() => mkdirSync(path, { mode: 0o700 }))
}

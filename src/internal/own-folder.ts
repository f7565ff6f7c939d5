import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Makes a folder for files of ours if it is missing, for this user only; `.celeriac` keeps itself out of git. */
export function makeOwnFolder(path: string): void {
  if (existsSync(path)) return
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (basename(path) === '.celeriac') writeFileSync(join(path, '.gitignore'), '*\n', { mode: 0o600 })
}

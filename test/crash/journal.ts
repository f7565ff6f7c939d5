import { existsSync, readFileSync } from 'node:fs'

/** The whole lines of a file of ids. Whoever wrote to it may have died in the middle of a line. */
export function journalled(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1).filter((id) => id.length === 36) : []
}

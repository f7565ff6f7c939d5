import { existsSync, readFileSync } from 'node:fs'

/** The whole lines of a file of ids. Its writer may have died in the middle of the last one. */
export function journalled(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1).filter((id) => id.length === 36) : []
}

import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const EXAMPLE = resolve(import.meta.dirname, '..')
const REPOSITORY = resolve(EXAMPLE, '../..')

/** A folder like that of somebody who installed the package: the example's files, a `package.json`, `node_modules`. */
export interface Project {
  readonly folder: string
  remove(): void
}

/** Makes a project of its own in the temporary folder, with the package as it was built. */
export function createProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-demo-'))
  for (const file of ['app.ts', 'chunks.ts', 'summary.ts', 'tasks.ts']) cpSync(join(EXAMPLE, file), join(folder, file))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'quickstart', type: 'module' }))
  link(REPOSITORY, join(folder, 'node_modules/celeriac'))
  for (const name of ['fastify', '@fastify/multipart']) link(join(REPOSITORY, 'node_modules', name), join(folder, 'node_modules', name))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** A text to count that every installation has: the licences of the installed packages, in one file. */
export function licenceTexts(folder: string): string {
  const file = join(folder, 'licences.txt')
  const paths = globSync('node_modules/**/{LICENSE,LICENCE,license}{,.md,.txt}', { cwd: REPOSITORY }).sort()
  writeFileSync(file, paths.map((path) => readFileSync(join(REPOSITORY, path), 'utf8')).join('\n'))
  return file
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path, 'dir')
}

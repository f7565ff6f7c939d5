import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The repository. */
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url))

/** Where the rows are. */
export const CORPUS: string = import.meta.dirname

/** A temporary folder with the package as it is now, and a project for each variant of the corpus. */
export interface Workshop {
  /** Makes the folder of a project that has the package installed. */
  project(name: string, type: 'module' | 'commonjs'): string
  remove(): void
}

/** Builds the package, so that a run never meets an older build; `CORPUS_PACKAGE` names a folder with another one. */
export async function openWorkshop(): Promise<Workshop> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'celeriac-corpus-'))
  const built = process.env['CORPUS_PACKAGE'] ?? join(folder, 'celeriac')
  if (process.env['CORPUS_PACKAGE'] === undefined) await buildPackage(built)
  return {
    project: (name, type) => createProject(join(folder, name.replace(/\W+/g, '-')), built, type),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function buildPackage(folder: string): Promise<void> {
  // That the types are right is another test.
  const options = ['-p', join(ROOT, 'tsconfig.build.json'), '--noCheck', '--declaration', 'false', '--declarationMap', 'false', '--isolatedDeclarations', 'false', '--sourceMap', 'false', '--outDir', join(folder, 'dist')]
  await promisify(execFile)(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...options])
  if (!existsSync(join(folder, 'dist/index.js'))) throw new Error(`Expected tsc to write ${folder}/dist/index.js`)
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
}

/** With real folders for the package and acorn, which rows capture, as an installation has them. */
function createProject(folder: string, built: string, type: string): string {
  const modules = join(folder, 'node_modules')
  mkdirSync(modules, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'corpus', type }))
  cpSync(built, join(modules, 'celeriac'), { recursive: true })
  cpSync(join(ROOT, 'node_modules/acorn'), join(modules, 'acorn'), { recursive: true })
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  for (const name of [...Object.keys(dependencies), 'tsx', 'esbuild']) {
    if (!existsSync(join(modules, name))) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name), 'dir')
  }
  return folder
}

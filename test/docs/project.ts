import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

import { ROOT } from './code-blocks.ts'

/** Makes the folder of a project that uses installed packages of the repository. The caller removes it. */
export function createProject(packages: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-docs-'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'docs', type: 'module' }))
  for (const name of packages) link(`${ROOT}/node_modules/${name}`, join(folder, 'node_modules', name))
  return folder
}

/** Lets a project use the package as it was built last. */
export function linkBuilt(folder: string): void {
  requireBuild()
  link(ROOT, join(folder, 'node_modules/celeriac'))
}

/** Installs the package from its tarball, as its users get it, without asking a registry for what it depends on. */
export function installPacked(folder: string): void {
  requireBuild()
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] })
  const [tarball = ''] = globSync('*.tgz', { cwd: folder })
  execFileSync('tar', ['-xzf', tarball], { cwd: folder })
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  renameSync(join(folder, 'package'), join(folder, 'node_modules/celeriac'))
  const { dependencies } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as { dependencies: Record<string, string> }
  for (const name of Object.keys(dependencies)) link(`${ROOT}/node_modules/${name}`, join(folder, 'node_modules', name))
}

/** The environment of somebody who has just opened a terminal. */
export function plainEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:CELERY|CELERIAC|VITEST)|^(?:NODE_ENV|NODE_OPTIONS|TEST)$/.test(name))
  return { ...Object.fromEntries(kept), ...more }
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(resolve(target), path, 'dir')
}

function requireBuild(): void {
  if (!existsSync(`${ROOT}/dist/index.js`)) throw new Error('Expected the package to be built, but there is no dist/index.js. Run "npm run build" first.')
}

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { cruise } from 'dependency-cruiser'

/** What of a `package.json` is checked here. */
export interface Manifest {
  readonly name: string
  readonly bin?: string | Readonly<Record<string, string>>
  readonly exports?: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Packs the built package at `root` and checks what users would get. One line per problem. */
export async function checkPackage(root: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-package-'))
  try {
    const tarball = pack(root, folder)
    execFileSync('tar', ['-xzf', tarball, '-C', folder])
    const content = join(folder, 'package')
    return [
      ...missingTargets(content),
      ...strayFiles(content),
      ...strayMaps(content),
      ...(await undeclaredImports(content)),
      ...complaints('publint', ['run', tarball, '--strict']),
      // CommonJS requires ES modules as they are since Node 22, and the resolution of Node 10 never sees "exports".
      ...complaints('attw', [tarball, '--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm', '--format', 'ascii', '--no-definitely-typed', '--no-emoji', '--no-color']),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Every file that the manifest promises under "exports" and "bin". */
export function targetsOf(manifest: Manifest): string[] {
  return [...leavesOf(manifest.exports), ...leavesOf(manifest.bin)]
}

function pack(root: string, folder: string): string {
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const [tarball] = globSync('*.tgz', { cwd: folder })
  if (!tarball) throw new Error(`Expected "npm pack" to leave a tarball in ${folder}, found none.`)
  return join(folder, tarball)
}

function missingTargets(content: string): string[] {
  return targetsOf(readManifest(content))
    .filter((target) => !existsSync(join(content, target)))
    .map((target) => `package.json points at ${target}, which is not in the package. Was it built?`)
}

function strayFiles(content: string): string[] {
  return globSync(['test/**', '**/*.test.*'], { cwd: content }).map((file) => `${file} is of the tests and should not be in the package.`)
}

function strayMaps(content: string): string[] {
  return globSync('**/*.map', { cwd: content }).flatMap((map) =>
    sourcesOf(join(content, map))
      .filter((source) => relative(content, source).startsWith('..') || !existsSync(source))
      .map((source) => `${map} points at ${relative(content, source)}, which is not in the package.`),
  )
}

function sourcesOf(map: string): string[] {
  const { sources, sourceRoot = '' } = JSON.parse(readFileSync(map, 'utf8')) as { sources: string[]; sourceRoot?: string }
  return sources.map((source) => resolve(dirname(map), sourceRoot, source))
}

async function undeclaredImports(content: string): Promise<string[]> {
  const { output } = await cruise(['dist'], { baseDir: content, parser: 'swc' })
  if (typeof output === 'string') throw new Error(`Expected a graph of imports, got text: ${output}`)
  const built = globSync('dist/**/*.{js,d.ts}', { cwd: content })
  const read = output.modules.filter(({ source, couldNotResolve }) => source.startsWith('dist/') && !couldNotResolve)
  if (built.length === 0 || read.length < built.length) return [`Read ${read.length} of the ${built.length} modules in dist/: their imports are unknown.`]

  const { name, dependencies, peerDependencies, optionalDependencies } = readManifest(content)
  const declared = new Set([name, ...Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })])
  return read.flatMap(({ source, dependencies: imports }) =>
    imports.flatMap(({ module: specifier }) => {
      if (specifier.startsWith('.')) return isPacked(join(content, dirname(source), specifier)) ? [] : [`${source} imports ${specifier}, which is not in the package.`]
      return isBuiltin(specifier) || declared.has(packageOf(specifier)) ? [] : [`${source} imports ${specifier}, which package.json does not declare.`]
    }),
  )
}

/** TypeScript leaves `./errors.ts` in a declaration as it was written and reads `./errors.d.ts` for it. */
function isPacked(file: string): boolean {
  return existsSync(file) || existsSync(file.replace(/\.ts$/, '.d.ts'))
}

function complaints(command: string, args: readonly string[]): string[] {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (error) return [`${command} could not run: ${error.message}. Run "npm ci" and put node_modules/.bin on PATH.`]
  return status === 0 ? [] : [`${command} says:\n${stdout}${stderr}`.trimEnd()]
}

/** `@scope/name/file.js` is of `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}

function leavesOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : []
}

function readManifest(content: string): Manifest {
  return JSON.parse(readFileSync(join(content, 'package.json'), 'utf8')) as Manifest
}

if (import.meta.main) {
  const problems = await checkPackage(process.cwd())
  for (const problem of problems) console.error(problem)
  console.log(`Package packed and checked: ${problems.length} problems.`)
  process.exitCode = problems.length > 0 ? 1 : 0
}

import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { transform } from '@swc/core'
import { build, type BuildOptions } from 'esbuild'
import { CORPUS, ROOT } from './workshop.ts'

/** Modules that have no CommonJS form: they await, or ask for `import.meta`. */
const MODULES_ONLY = ['rows/import-meta.ts', 'rows/top-level-await.ts']
const TARGET = 'node24'

/** The program as it is written, for a runtime that reads TypeScript. */
export function copySources(folder: string): void {
  for (const file of sources()) copy(file, folder)
}

/** File by file, as a bundler without bundling; ES modules with their source map inside, CommonJS beside. */
export async function compileWithEsbuild(folder: string, format: 'esm' | 'cjs'): Promise<void> {
  const written = writeForJavaScript(join(folder, 'original'), format === 'cjs' ? MODULES_ONLY : [])
  const options: BuildOptions = { format, platform: 'node', target: TARGET, sourcemap: format === 'esm' ? 'inline' : true, logLevel: 'error' }
  await build({ ...options, entryPoints: written.map((file) => join(folder, 'original', file)), outbase: join(folder, 'original'), outdir: folder })
  copyOthers(folder)
}

/** Everything in one file, as it is deployed; only installed packages stay outside. */
export async function compileBundle(folder: string, minify: boolean): Promise<void> {
  await build({
    entryPoints: [join(CORPUS, 'run.ts')],
    outfile: join(folder, 'run.js'),
    bundle: true,
    packages: 'external',
    // An ES module is strict.
    external: ['./rows/sloppy.cjs'],
    format: 'esm',
    platform: 'node',
    target: TARGET,
    sourcemap: true,
    minify,
    logLevel: 'error',
    tsconfigRaw: {},
    // Where CommonJS is in it, and asks for a builtin.
    banner: { js: `import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);` },
  })
}

/** ES modules to CommonJS, file by file, as swc does it for frameworks and test runners. */
export async function compileWithSwc(folder: string): Promise<void> {
  const original = join(folder, 'original')
  for (const file of writeForJavaScript(original, [...MODULES_ONLY, 'rows/using.ts'])) {
    const { code, map } = await transform(readFileSync(join(original, file), 'utf8'), {
      filename: join(original, file),
      sourceFileName: join(original, file),
      module: { type: 'commonjs' },
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022', experimental: { keepImportAttributes: false } },
      sourceMaps: true,
      swcrc: false,
    })
    const output = join(folder, file.replace(/\.ts$/, '.js'))
    write(output, `${code}\n//# sourceMappingURL=${file.replace(/^.*\//, '').replace(/\.ts$/, '.js.map')}\n`)
    write(`${output}.map`, map ?? '')
  }
  copyOthers(folder)
}

/** What `tsc` makes of a project that is CommonJS. Types are checked elsewhere. */
export function compileWithTsc(folder: string): void {
  const original = join(folder, 'original')
  for (const file of sources()) if (!MODULES_ONLY.includes(file) && file !== 'rows/using.ts') copy(file, original)
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    types: [],
    noCheck: true,
    skipLibCheck: true,
    sourceMap: true,
    resolveJsonModule: true,
    rewriteRelativeImportExtensions: true,
    rootDir: '.',
    outDir: '..',
  }
  write(join(original, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['run.ts'] }))
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', original], { stdio: ['ignore', 'inherit', 'inherit'] })
  copyOthers(folder)
}

/** The program's files, without the harness. */
function sources(): string[] {
  return ['run.ts', 'row.ts', 'judge.ts', 'report.ts', ...globSync(['rows/*', 'modules/*'], { cwd: CORPUS })]
}

/** The TypeScript sources with the imports that their outputs will have, line for line. */
function writeForJavaScript(folder: string, without: readonly string[]): string[] {
  const files = sources().filter((file) => file.endsWith('.ts') && !without.includes(file))
  for (const file of files) write(join(folder, file), readFileSync(join(CORPUS, file), 'utf8').replace(/((?:from |import\()'\.[^']+)\.ts'/g, "$1.js'"))
  return files
}

/** What is not compiled: data, and what is CommonJS already. */
function copyOthers(folder: string): void {
  for (const file of sources()) if (/\.(json|cjs)$/.test(file)) copy(file, folder)
}

function copy(file: string, folder: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  cpSync(join(CORPUS, file), join(folder, file))
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { compileBundle, compileWithEsbuild, compileWithSwc, compileWithTsc, copySources } from './compile.ts'
import { ROOT } from './workshop.ts'

/** What a variant can do that not all can: kinds of rows, and `renamed` where variables have other names at run time. */
export type Feature = 'common' | 'sloppy' | 'import-meta' | 'top-level-await' | 'using' | 'renamed'

/** One way in which a program gets from its source to a running process. */
export interface Variant {
  readonly name: string
  readonly features: readonly Feature[]
  /** Writes the program into a folder. */
  readonly compile: (folder: string) => Promise<void> | void
  /** The file that is started, relative to that folder. */
  readonly entry: string
  readonly type: 'module' | 'commonjs'
  /** Which Node runs it; the one that runs the tests when left out. */
  readonly node?: '22' | '26'
  readonly execArgv?: readonly string[]
}

const BUNDLED: readonly Feature[] = ['common', 'import-meta', 'top-level-await', 'using']
const EVERYTHING: readonly Feature[] = [...BUNDLED, 'sloppy']

/** Every variant that the corpus runs as. */
export const VARIANTS: readonly Variant[] = [
  { name: 'Node 24 from source', features: EVERYTHING, compile: copySources, entry: 'run.ts', type: 'module' },
  { name: 'Node 22.18 from source', features: ['common', 'sloppy', 'import-meta', 'top-level-await'], compile: copySources, entry: 'run.ts', type: 'module', node: '22' },
  { name: 'Node 26 from source', features: EVERYTHING, compile: copySources, entry: 'run.ts', type: 'module', node: '26' },
  { name: 'tsx', features: EVERYTHING, compile: copySources, entry: 'run.ts', type: 'module', execArgv: ['--import', 'tsx'] },
  { name: 'esbuild ES modules', features: EVERYTHING, compile: (folder) => compileWithEsbuild(folder, 'esm'), entry: 'run.js', type: 'module' },
  { name: 'esbuild CommonJS', features: ['common', 'sloppy', 'using'], compile: (folder) => compileWithEsbuild(folder, 'cjs'), entry: 'run.js', type: 'commonjs' },
  { name: 'esbuild bundle', features: BUNDLED, compile: (folder) => compileBundle(folder, false), entry: 'run.js', type: 'module' },
  { name: 'esbuild bundle, minified', features: [...BUNDLED, 'renamed'], compile: (folder) => compileBundle(folder, true), entry: 'run.js', type: 'module' },
  { name: 'swc CommonJS', features: ['common', 'sloppy'], compile: compileWithSwc, entry: 'run.js', type: 'commonjs' },
  { name: 'tsc CommonJS', features: ['common', 'sloppy'], compile: compileWithTsc, entry: 'run.js', type: 'commonjs' },
]

/** The Node that runs a variant: of the packages in `test/node-versions`, or what `CELERIAC_NODE_22` and `_26` name. */
export function nodeOf({ node }: Variant): string {
  if (node === undefined) return process.execPath
  const file = process.env[`CELERIAC_NODE_${node}`] ?? join(ROOT, `test/node-versions/${node}/node_modules/.bin/node`)
  if (!existsSync(file)) throw new Error(`Expected Node ${node} at ${file}. Install it there, or set CELERIAC_NODE_${node}.`)
  return file
}

import { spawnSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { sourceTree } from './source-tree.ts'

const ROOT = join(import.meta.dirname, '../..')

/** How a run of vitest within a test ended. */
export interface NestedRun {
  readonly status: number | null
  /** Everything it wrote, without colours. */
  readonly output: string
}

/** Runs vitest on test files of their own, reported as the project's are. */
export function runVitest(files: Readonly<Record<string, string>>, options: { args?: readonly string[]; env?: Readonly<Record<string, string>> } = {}): NestedRun {
  const reporter = JSON.stringify(join(import.meta.dirname, 'skip-reporter.ts'))
  const root = sourceTree({
    'package.json': '{ "type": "module" }',
    'vitest.config.ts': `import { SkipReporter } from ${reporter}\nexport default { test: { pool: 'forks', reporters: ['default', new SkipReporter()] } }\n`,
    ...files,
  })
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))

  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...(options.args ?? [])], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], NO_COLOR: '1', ...options.env },
  })
  return { status, output: stdout + stderr }
}

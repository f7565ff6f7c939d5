import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node'

const REASON = /\(skipped: .+\)/

/** What did not run: a whole suite when its title gives the reason, else one test. */
export interface Skipped {
  readonly file: string
  readonly title: string
  readonly tests: number
}

/**
 * Lists what was skipped after the run, since a skipped suite proves nothing.
 *
 * The reason is in the title, as `(skipped: redis-server is not installed)`, or in `context.skip(reason)`.
 * With `CI` set, a skip is a failure. Tests left out by a name filter are not listed: whoever gave the
 * filter knows.
 */
export class SkipReporter implements Reporter {
  #filtered = false

  onInit(vitest: Vitest): void {
    this.#filtered = vitest.config.testNamePattern !== undefined
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = this.#filtered ? [] : modules.flatMap(skippedIn)
    if (skipped.length === 0) return

    const lines = skipped.map(({ file, title, tests }) => `  - ${file} > ${title}${tests > 1 ? ` (${tests} tests)` : ''}`)
    console.log(`Skipped:\n${lines.join('\n')}\n`)
    if (process.env['CI'] && process.env['CI'] !== 'false') {
      console.error('A skipped suite is a failure when CI is set. Install what its title asks for.\n')
      process.exitCode = 1
    }
  }
}

function skippedIn(module: TestModule): Skipped[] {
  const counts = new Map<string, number>()
  for (const test of module.children.allTests('skipped')) {
    const title = skippedAs(test)
    counts.set(title, (counts.get(title) ?? 0) + 1)
  }
  return [...counts].map(([title, tests]) => ({ file: module.relativeModuleId, title, tests }))
}

/** vitest marks every suite around a skipped one as skipped too, so the reason is what tells them apart. */
function skippedAs(test: TestCase): string {
  let named: TestCase | TestSuite = test
  for (let parent = test.parent; parent.type === 'suite'; parent = parent.parent) if (REASON.test(parent.name)) named = parent

  const result = test.result()
  const note = result.state === 'skipped' ? result.note : undefined
  return note === undefined ? named.fullName : `${named.fullName} (skipped: ${note})`
}

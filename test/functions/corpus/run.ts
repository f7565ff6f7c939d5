import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turnOfEventLoop } from 'node:timers/promises'
import { inspect } from 'node:util'
import { Celery } from 'celeriac'
import { describe, judge, type Outcome } from './judge.ts'
import { isUnexpected, outcomeName, type Report } from './report.ts'
import { argumentsOf, type Expected, type Row, type Task } from './row.ts'
import { rows as arrows } from './rows/arrows.ts'
import { rows as asyncAndGenerators } from './rows/async-and-generators.ts'
import { rows as capturedValues } from './rows/captured-values.ts'
import { rows as classes } from './rows/classes.ts'
import { rows as functions } from './rows/functions.ts'
import { rows as globals } from './rows/globals.ts'
import { rows as imports } from './rows/imports.ts'
import { rows as limits } from './rows/limits.ts'
import { rows as methods } from './rows/methods.ts'
import { rows as parameters } from './rows/parameters.ts'
import { rows as refusedCode } from './rows/refused-code.ts'
import { rows as refusedValues } from './rows/refused-values.ts'
import { rows as scopes } from './rows/scopes.ts'
import { rows as snapshots } from './rows/snapshots.ts'
import { rows as syntax } from './rows/syntax.ts'
import { rows as throwing } from './rows/throwing.ts'
import { rows as tricky } from './rows/tricky.ts'

/*
 * Submits every row of the corpus to a worker of its own and prints a line of JSON for each; ends with 1 when one
 * was not as expected. `--here` calls the functions in this process instead, which checks the rows themselves.
 */

const TIMEOUT_SECONDS = 20

// A worker that imported the script that was started would start it again, and so on.
if (process.env['CORPUS_STARTED'] !== undefined) throw new Error('run.ts was evaluated a second time, by a child process')
process.env['CORPUS_STARTED'] = 'yes'

/** `CORPUS_VARIANT` is how it was compiled, `CORPUS_SOURCES` where the rows' sources are, `CORPUS_FEATURES` what the variant has. */
const { CORPUS_VARIANT: variant = 'Node from source', CORPUS_SOURCES: sources = '.', CORPUS_FEATURES: features = '' } = process.env

const ofMain = 5
let changing = 1
const arrowOfMain = (x: number): number => x * ofMain
function declaredInMain(x: number): number {
  return helperOfMain(x) + changing
}
function helperOfMain(x: number): number {
  return x - 1
}
class OfMain {
  readonly n: number
  constructor(n: number) {
    this.n = n
  }
  doubled(): number {
    return this.n * 2
  }
}
/** Exported from a script without a guard: by reference it would start the script again. */
export function exportedFromMain(x: number): number {
  return x + ofMain
}

const ofTheScript: readonly Row[] = [
  { title: 'a constant of the script', make: () => (x: number) => x * ofMain, args: [2], gives: 10 },
  { title: 'an arrow of the script', make: () => arrowOfMain, args: [3], gives: 15 },
  { title: 'a declared function of the script', make: () => { changing = 2; return declaredInMain }, args: [3], gives: 4 },
  { title: 'an exported function of the script', make: () => exportedFromMain, args: [1], gives: 6 },
  { title: 'a class of the script', make: () => (x: number) => new OfMain(x).doubled(), args: [4], gives: 8 },
  { title: 'an instance of a class of the script', make: () => (o: OfMain) => [o.doubled(), o instanceof OfMain], args: () => [new OfMain(3)], gives: [6, true] },
  { title: 'functions of the script inside others', make: () => () => [exportedFromMain, arrowOfMain].map((fn) => fn(2)), gives: [7, 10] },
]

async function main(): Promise<void> {
  const themes: [string, readonly Row[]][] = Object.entries({ arrows, functions, methods, classes, asyncAndGenerators, parameters, scopes, capturedValues, imports, syntax, globals, throwing, tricky, limits, snapshots, refusedValues, refusedCode, ofTheScript })
  if (features.includes('common')) themes.push(['common', (await import('./rows/common.cjs')).rows])
  if (features.includes('sloppy')) themes.push(['sloppy', (await import('./rows/sloppy.cjs')).rows])
  if (features.includes('import-meta')) themes.push(['importMeta', (await import('./rows/import-meta.ts')).rows])
  if (features.includes('top-level-await')) themes.push(['topLevelAwait', (await import('./rows/top-level-await.ts')).rows])
  if (features.includes('using')) themes.push(['using', (await import('./rows/using.ts')).rows])

  const reports = process.argv.includes('--here') ? await callHere(themes) : await submitAll(themes)
  for (const report of reports) console.log(JSON.stringify(report))
  process.exitCode = reports.some(isUnexpected) ? 1 : 0
}

async function callHere(themes: readonly [string, readonly Row[]][]): Promise<Report[]> {
  const reports: Report[] = []
  for (const [theme, rows] of themes) for (const row of rows) reports.push(await reportHere(theme, row))
  return reports
}

async function submitAll(themes: readonly [string, readonly Row[]][]): Promise<Report[]> {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-corpus-'))
  const celery = new Celery({
    root: process.cwd(),
    brokerUrl: `sqlite://${folder}/queue.db`,
    logDir: folder,
    logLevel: 'error',
    startLocalWorkers: true,
    startTimeout: 60,
    workers: { corpus: { pool: 'async', concurrency: 8 } },
  })
  try {
    const reports: Promise<Report>[] = []
    for (const [theme, rows] of themes) {
      for (const row of rows) {
        await turnOfEventLoop()
        const problem = await reportHere(theme, row)
        reports.push(problem.outcome === 'WRONG HERE' ? Promise.resolve(problem) : reportRemote(theme, row, submit(celery, row)))
      }
    }
    return await Promise.all(reports)
  } finally {
    await celery.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs a row in this process: what it says must be true of the function itself. */
async function reportHere(theme: string, row: Row): Promise<Report> {
  const expected = row.here ?? expectedOf(row)
  const { title } = row
  if ('refused' in expected || 'unreturnable' in expected) return { theme, title, outcome: outcomeName(expected), detail: 'not called' }
  const outcome = await settle(() => (row.make() as (...args: readonly unknown[]) => unknown)(...argumentsOf(row)))
  const problem = judge(expected, outcome)
  return problem === undefined ? { theme, title, outcome: outcomeName(expected), detail: describe(outcome) } : { theme, title, outcome: 'WRONG HERE', detail: problem }
}

/** Everything up to the message is synchronous, `after` included. */
async function submit(celery: Celery, row: Row): Promise<Outcome> {
  try {
    const submitted = celery.submit(row.make() as Task, ...(argumentsOf(row) as never[]))
    row.after?.()
    submitted.catch(() => {})
    const future = await submitted
    return await settle(() => future.result({ timeout: TIMEOUT_SECONDS }))
  } catch (refused) {
    return { refused }
  }
}

async function reportRemote(theme: string, row: Row, submitted: Promise<Outcome>): Promise<Report> {
  const expected = expectedOf(row)
  const outcome = await submitted
  const problem = judge(expected, outcome, (mark) => lineOf(theme, mark))
  const differs = row.differs?.[variant]?.why
  const unexpected = 'gave' in outcome ? 'WRONG' : 'FAILED'
  return {
    theme,
    title: row.title,
    outcome: problem === undefined ? outcomeName(expected) : unexpected,
    detail: problem ?? describe(outcome),
    ...(differs !== undefined && { differs }),
    ...(row.here !== undefined && { here: inspect(row.here, { breakLength: Infinity }) }),
  }
}

async function settle(call: () => unknown): Promise<Outcome> {
  try {
    return { gave: await call() }
  } catch (threw) {
    return { threw }
  }
}

function expectedOf(row: Row): Expected {
  const expected: Expected = row.differs?.[variant] ?? row
  // Whose variables are renamed gets the new names in messages.
  return features.includes('renamed') && 'refused' in expected ? { refused: /./s } : expected
}

/** `throwing.ts:12`, of the line of the source that has this mark. */
function lineOf(theme: string, mark: string): string {
  const lines = readFileSync(join(sources, 'rows', `${theme}.ts`), 'utf8').split('\n')
  return `${theme}.ts:${lines.findIndex((line) => line.endsWith(`// line: ${mark}`)) + 1}`
}

void main()

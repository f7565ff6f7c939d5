import { globSync } from 'node:fs'
import { cruise } from 'dependency-cruiser'
import type { ICruiseResult, IModule } from 'dependency-cruiser'

/**
 * The parts of `src/`, lowest first. A part imports the layers below its own and itself; a folder ends in
 * `/`. Parts of one layer leave each other alone unless `together`, where only circles are refused.
 */
const LAYERS: readonly Layer[] = [
  { parts: ['errors.ts', 'states.ts', 'joint-write.ts'] },
  { parts: ['internal/'] },
  { parts: ['protocol/'] },
  { parts: ['broker.ts', 'backend.ts', 'pool.ts', 'config/', 'functions/'] },
  { parts: ['brokers/', 'backends/', 'pools/', 'graph/', 'signing/'] },
  { parts: ['current.ts', 'control/', 'result/', 'codec.ts', 'call.ts', 'send-options.ts', 'registry.ts', 'task.ts', 'submitter.ts', 'publish.ts', 'waiting-reason.ts', 'web-app.ts', 'canvas/', 'events/'], together: true },
  { parts: ['app.ts'] },
  { parts: ['worker/'] },
  { parts: ['services/', 'beat/'] },
  { parts: ['celery.ts'] },
  { parts: ['index.ts'] },
  { parts: ['cli/', 'dashboard/', 'integrations/', 'testing/'] },
]

/** Drivers live in a folder of one of these and know nothing of the driver next door. */
const DRIVER = /^((?:brokers|backends|pools)\/[^/]+\/)/

interface Layer {
  readonly parts: readonly string[]
  readonly together?: boolean
}

/** What {@link checkImports} read and found. */
export interface ImportReport {
  /** How many modules were read, all of them under `src/`. */
  readonly modules: number
  /** One line each, empty when every import is allowed. */
  readonly problems: readonly string[]
}

/**
 * Checks who imports whom in `src/` of the package at `root`; `import type` counts as an import.
 * @throws Error when a file of `src/` was not read: a graph with holes proves nothing.
 */
export async function checkImports(root: string): Promise<ImportReport> {
  const files = globSync('src/**/*.ts', { cwd: root })
  const { modules, circles } = await readGraph(root)
  const unread = files.filter((file) => !modules.has(file))
  if (files.length === 0 || unread.length > 0) throw new Error(`Expected to read all ${files.length} modules of ${root}/src, missed ${unread.join(', ') || 'everything'}. Is @swc/core installed? It is what reads TypeScript here.`)

  const problems = [...modules].flatMap(([file, imports]) => [...unplaced(file), ...imports.flatMap((imported) => misplaced(file, imported))])
  return { modules: modules.size, problems: [...problems, ...circles] }
}

async function readGraph(root: string): Promise<{ modules: Map<string, string[]>; circles: string[] }> {
  // swc keeps every form of type import but `import('…').Type`, which the linter refuses.
  const { output } = await cruise(['src'], {
    baseDir: root,
    parser: 'swc',
    validate: true,
    // How packages import each other is their own affair.
    doNotFollow: { path: 'node_modules' },
    ruleSet: { forbidden: [{ name: 'no-circle', severity: 'error', from: {}, to: { circular: true } }] },
  })
  if (typeof output === 'string') throw new Error(`Expected a graph of imports, got text: ${output}`)
  return { modules: importsByFile(output.modules), circles: describeCircles(output) }
}

function importsByFile(modules: readonly IModule[]): Map<string, string[]> {
  const ours = modules.filter(({ source, couldNotResolve }) => source.startsWith('src/') && !couldNotResolve)
  return new Map(ours.map(({ source, dependencies }) => [source, dependencies.map(({ resolved }) => resolved).filter((path) => path.startsWith('src/'))]))
}

function describeCircles({ summary }: ICruiseResult): string[] {
  return summary.violations.map(({ from, cycle }) => `${[from, ...(cycle ?? []).map(({ name }) => name)].join(' -> ')} is a circle. Name the need as an interface in the file that has it.`)
}

function unplaced(file: string): string[] {
  return layerOf(file) === -1 ? [`${file} belongs to no layer. Add it to LAYERS in scripts/check-imports.ts.`] : []
}

function misplaced(file: string, imported: string): string[] {
  const layer = LAYERS[layerOf(file)]
  if (!layer || layerOf(imported) === -1) return []

  if (layerOf(imported) > layerOf(file)) return [`${file} imports ${imported}, which stands above it.`]
  if (layer.parts.includes(partOf(imported)) && partOf(imported) !== partOf(file) && !layer.together) return [`${file} imports ${imported}, which stands beside it: move what both need below them.`]
  const [driver, other] = [driverOf(file), driverOf(imported)]
  return driver && other && driver !== other ? [`${file} imports ${imported}, another driver: move what both need out of either.`] : []
}

function layerOf(file: string): number {
  return LAYERS.findIndex(({ parts }) => parts.includes(partOf(file)))
}

/** `src/brokers/redis/claim.ts` is of `brokers/`, `src/app.ts` of `app.ts`. */
function partOf(file: string): string {
  const [, first = '', ...rest] = file.split('/')
  return rest.length > 0 ? `${first}/` : first
}

function driverOf(file: string): string | undefined {
  return DRIVER.exec(file.slice('src/'.length))?.[1]
}

if (import.meta.main) {
  const { modules, problems } = await checkImports(process.cwd())
  for (const problem of problems) console.error(problem)
  console.log(`${modules} modules read, ${problems.length} problems with their imports.`)
  process.exitCode = problems.length > 0 ? 1 : 0
}

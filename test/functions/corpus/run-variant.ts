import { execFile } from 'node:child_process'
import type { Report } from './report.ts'
import { nodeOf, type Variant } from './variants.ts'
import { CORPUS, type Workshop } from './workshop.ts'

/** How long one variant may take, in milliseconds. */
const TIMEOUT_MS = 90_000

/**
 * Compiles the corpus as a variant says, runs it and gives back what became of each row.
 * @param mode `here` only calls the functions in the program itself, which checks the rows and the compiler.
 * @throws Error when the program ended before it reported.
 */
export async function runVariant(variant: Variant, workshop: Workshop, mode: 'submit' | 'here' = 'submit'): Promise<readonly Report[]> {
  const folder = workshop.project(`${variant.name} ${mode}`, variant.type)
  await variant.compile(folder)
  const { stdout, stderr, failure } = await start(variant, folder, mode)
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'))
  if (lines.length === 0) throw new Error(`${variant.name} reported nothing: ${failure?.message ?? ''}\n${stdout}\n${stderr}`)
  return lines.map((line) => JSON.parse(line) as Report)
}

interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly failure: Error | null
}

function start(variant: Variant, folder: string, mode: 'submit' | 'here'): Promise<Ended> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:CELERY|CELERIAC|VITEST|CORPUS)|^(?:NODE_ENV|NODE_OPTIONS|TEST)$/.test(name))
  const env = { ...Object.fromEntries(kept), CORPUS_VARIANT: variant.name, CORPUS_SOURCES: CORPUS, CORPUS_FEATURES: variant.features.join() }
  const args = [...(variant.execArgv ?? []), variant.entry, ...(mode === 'here' ? ['--here'] : [])]
  return new Promise((resolve) => {
    execFile(nodeOf(variant), args, { cwd: folder, env, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 }, (failure, stdout, stderr) => resolve({ stdout, stderr, failure }))
  })
}

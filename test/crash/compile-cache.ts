import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect } from 'vitest'

import { environment, startWeb } from '../services/web-process.ts'

const WARM = fileURLToPath(new URL('fixtures/warm.ts', import.meta.url))

/**
 * Lets what the file starts take its compiled modules from a cache. Stripping and compiling them takes each process
 * several ticks of the killer, so that hardly one would get to start another; and one that is killed saves nothing.
 */
export function useCompileCache(): void {
  const folder = mkdtempSync(join(tmpdir(), 'compile-cache-'))
  process.env['NODE_COMPILE_CACHE'] = join(folder, 'cache')
  beforeAll(async () => {
    const warm = startWeb([WARM], environment(folder))
    expect(await warm.ended, `what it said:\n${warm.output()}`).toEqual({ code: 0, signal: null })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
}

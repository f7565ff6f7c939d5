import { fileURLToPath } from 'node:url'
import type * as Plain from '../src/graph/plain.ts'
import type * as Read from '../src/graph/read.ts'
import type * as Types from '../src/graph/types.ts'
import type * as Write from '../src/graph/write.ts'
import type * as KeyRing from '../src/signing/key-ring.ts'

/** The parts of the built package that are measured by themselves. */
export type BuiltParts = Pick<typeof Plain, 'arePlainTrees'> &
  Pick<typeof Read, 'readGraphText'> &
  Pick<typeof Types, 'NO_TYPES'> &
  Pick<typeof Write, 'writeGraph'> &
  Pick<typeof KeyRing, 'openKeyRing'>

/** Loads what users get, not its sources. */
export async function loadBuiltParts(): Promise<BuiltParts> {
  const load = async (path: string): Promise<unknown> => (await import(new URL(`../dist/${path}.js`, import.meta.url).href)) as unknown
  const { arePlainTrees } = (await load('graph/plain')) as typeof Plain
  const { readGraphText } = (await load('graph/read')) as typeof Read
  const { NO_TYPES } = (await load('graph/types')) as typeof Types
  const { writeGraph } = (await load('graph/write')) as typeof Write
  const { openKeyRing } = (await load('signing/key-ring')) as typeof KeyRing
  return { arePlainTrees, readGraphText, NO_TYPES, writeGraph, openKeyRing }
}

/** The root of the repository. */
export const ROOT: string = fileURLToPath(new URL('..', import.meta.url))

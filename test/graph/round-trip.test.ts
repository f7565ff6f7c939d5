import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isPlainTree } from '../../src/graph/plain.ts'
import { readGraph, readGraphText } from '../../src/graph/read.ts'
import { NO_TYPES } from '../../src/graph/types.ts'
import { writeGraph } from '../../src/graph/write.ts'
import { parseJson } from '../../src/protocol/json.ts'
import { fidelity, sameValue } from './fidelity.ts'

const root = resolve(import.meta.dirname, '../..')
const writing = { root, path: 'args', types: NO_TYPES, classesByValue: true }
const reading = { root, types: NO_TYPES, allowCode: true }

describe('a value that was written as a graph is the same when it is read', () => {
  test.each(fidelity.map((row) => [row.title, row] as const))('%s', async (_title, row) => {
    const sent = row.value()

    const { text } = writeGraph([sent], writing)
    const [came] = (await readGraphText(text, reading)) as [unknown]

    expect((row.check ?? sameValue)(came, sent)).toBe(true)
  })

  test.each(fidelity.map((row) => [row.title, row] as const))('%s, as a result', async (_title, row) => {
    const sent = row.value()
    const write = (): { text: string } => writeGraph([sent], { ...writing, path: 'result', classesByValue: false })

    if (row.refusedAsResult !== undefined) {
      expect(write).toThrow(row.refusedAsResult)
    } else {
      const [came] = (await readGraph(parseJson(write().text), reading)) as [unknown]

      expect((row.check ?? sameValue)(came, sent)).toBe(true)
    }
  })

  test.each(fidelity.map((row) => [row.title, row] as const))('%s is bare JSON only if that is as good', (_title, row) => {
    const sent = row.value()
    if (!isPlainTree(sent)) return expect(isPlainTree([sent])).toBe(false)

    const came: unknown = parseJson(JSON.stringify(sent))

    expect((row.check ?? sameValue)(came, sent)).toBe(true)
  })
})

import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringifyJson, parseJson } from '../../src/protocol/json.ts'

const hasPython = spawnSync('python3', ['--version']).status === 0

/** Reads JSON and writes it again, item by item. */
const ECHO = 'import json, sys; print(json.dumps([json.loads(text) for text in json.load(sys.stdin)]))'

function throughPython(values: readonly unknown[]): unknown {
  const input = JSON.stringify(values.map((value) => stringifyJson(value, 'value')))
  const run = spawnSync('python3', ['-c', ECHO], { input, encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (run.status !== 0) throw new Error(`Python could not read what we wrote: ${run.stderr}`)
  return parseJson(run.stdout)
}

describe.skipIf(!hasPython)('Python (skipped where there is no python3)', () => {
  test('reads what stringifyJson writes, and we read what it writes', () => {
    const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)])
    const values = [
      ...[null, true, 'é😀\u2028', '\ud800', '\0', NaN, Infinity, -Infinity, 1e300, 1e20, 2 ** 53, 2n ** 64n, -(2n ** 70n), 0.1],
      ...[{}, [], { __proto__: null, NaN: [NaN] }, { 'a b': undefined, c: [1n << 100n] }, deep(490), 10n ** 4000n],
    ]
    expect(throughPython(values)).toEqual(values.map((value) => parseJson(stringifyJson(value, 'value'))))
  })

  test('reads any tree', () => {
    const trees = fc.sample(fc.jsonValue({ maxDepth: 4 }), 300)
    expect(throughPython(trees)).toEqual(trees.map((tree) => JSON.parse(JSON.stringify(tree)) as unknown))
  })
})

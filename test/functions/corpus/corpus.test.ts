import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withCompilerTable } from '../../docs/functions-page.ts'
import { judge } from './judge.ts'
import { isUnexpected, type Report } from './report.ts'
import { runVariant } from './run-variant.ts'
import { VARIANTS } from './variants.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

const PAGE = `${import.meta.dirname}/../../../docs/functions.md`

/** Two compilers, two programs and two workers at a time are what two cores bear. */
const AT_ONCE = 2

let workshop: Workshop
/** What became of the rows, by variant. */
const found = new Map<string, readonly Report[]>()
const lanes: Promise<unknown>[] = []
let started = 0

/** Runs when what was started before on the same lane has ended. */
function inTurn<T>(run: () => Promise<T>): Promise<T> {
  const lane = started++ % AT_ONCE
  const turn = (lanes[lane] ?? Promise.resolve()).then(run)
  lanes[lane] = turn.catch(() => {})
  return turn
}

beforeAll(async () => {
  workshop = await openWorkshop()
})

afterAll(() => {
  workshop.remove()
})

describe('every function of the corpus gives the same in a worker as here, or is refused by name', () => {
  test.concurrent.for(VARIANTS)('$name', { timeout: 180_000 }, async (variant, { expect }) => {
    const reports = await inTurn(() => runVariant(variant, workshop))
    found.set(variant.name, reports)

    expect(reports.filter(isUnexpected).map(({ theme, title, outcome, detail }) => `${theme}: ${title}: ${outcome}, ${detail}`)).toEqual([])
    expect(reports.length).toBeGreaterThan(400)
    expect(new Set(reports.map(({ title }) => title)).size).toBe(reports.length)
    expect(reports.some(({ theme }) => theme === 'using')).toBe(variant.features.includes('using'))
  })
})

test('docs/functions.md lists what compilers change (write it anew with: vitest run test/functions/corpus --update)', async () => {
  const inOrder = new Map(VARIANTS.map(({ name }) => [name, found.get(name) ?? []]))

  await expect(withCompilerTable(readFileSync(PAGE, 'utf8'), inOrder)).toMatchFileSnapshot(PAGE)
})

describe('the judge of the corpus', () => {
  const right = (expected: Parameters<typeof judge>[0], outcome: Parameters<typeof judge>[1]): boolean => judge(expected, outcome) === undefined

  test('tells values apart that look alike', () => {
    expect(right({ gives: -0 }, { gave: -0 })).toBe(true)
    expect(right({ gives: -0 }, { gave: 0 })).toBe(false)
    expect(right({ gives: Number.NaN }, { gave: Number.NaN })).toBe(true)
    expect(right({ gives: undefined }, { gave: null })).toBe(false)
    expect(right({ gives: [undefined] }, { gave: Array(1) })).toBe(false)
    expect(right({ gives: new Map([[1, 2]]) }, { gave: new Map([[1, 3]]) })).toBe(false)
    expect(right({ gives: new Date(0) }, { gave: '1970-01-01T00:00:00.000Z' })).toBe(false)
  })

  test('takes an error for nothing but itself', () => {
    const error = Object.assign(new RangeError('too far'), { stack: 'RangeError: too far\n    at f (rows/throwing.ts:3:1)' })
    const throws = { name: 'RangeError', message: /far/, line: 'x' }

    expect(judge({ throws }, { threw: error }, () => 'throwing.ts:3')).toBeUndefined()
    expect(judge({ throws }, { threw: error }, () => 'throwing.ts:4')).toMatch(/throwing\.ts:4/)
    expect(right({ throws: { ...throws, cause: { name: 'Error', message: /./ } } }, { threw: error })).toBe(false)
    expect(right({ throws: { name: 'TypeError', message: /far/ } }, { threw: error })).toBe(false)
    expect(right({ throws }, { refused: error })).toBe(false)
  })

  test('takes a refusal only from submit, with a name, and by an error of the package', () => {
    const refusal = Object.assign(new Error('the variable "socket" is a Socket'), { name: 'EncodeError' })

    expect(right({ refused: /\bsocket\b/ }, { refused: refusal })).toBe(true)
    expect(right({ refused: /\bstream\b/ }, { refused: refusal })).toBe(false)
    expect(right({ refused: /\bsocket\b/ }, { threw: refusal })).toBe(false)
    expect(right({ refused: /\bsocket\b/ }, { refused: new TypeError('Cannot read socket') })).toBe(false)
    expect(right({ refused: /\bsocket\b/ }, { gave: 1 })).toBe(false)
  })
})

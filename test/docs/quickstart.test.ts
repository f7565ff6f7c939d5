import { expect, test } from 'vitest'

import { chunksOf } from '../../examples/quickstart/chunks.ts'
import { summarise } from '../../examples/quickstart/summary.ts'
import { countWords } from '../../examples/quickstart/tasks.ts'

const TEXT = 'The naïve\t日本語 – слово\r\n  and\u00a0not  \u{1d4b3} words\n'

test.each([1, 2, 3, 7, 64])('chunks of a stream that comes %i bytes at a time hold every word once', async (step) => {
  for (let size = 16; size < 80; size++) {
    const chunks = await chunksFrom(pieces(Buffer.from(TEXT.repeat(3)), step), size)

    expect(chunks.join('')).toBe(TEXT.repeat(3))
    expect(chunks.reduce((sum, chunk) => sum + countWords(chunk).words, 0)).toBe(countWords(TEXT.repeat(3)).words)
  }
})

test('no chunk is larger than it may be', async () => {
  const chunks = await chunksFrom(pieces(Buffer.from(TEXT.repeat(20)), 50), 100)

  expect(Math.max(...chunks.map((chunk) => Buffer.byteLength(chunk)))).toBeLessThanOrEqual(100)
})

test.each([1, 4, 9, 10, 11, 500])('a word longer than a chunk stays one word in a stream that comes %i bytes at a time', async (step) => {
  const text = `a ${'é'.repeat(40)} b ${'x'.repeat(10)} ${'y'.repeat(11)}\nc ${'z'.repeat(100)}`

  const chunks = await chunksFrom(pieces(Buffer.from(text), step), 10)

  expect(chunks.reduce((sum, chunk) => sum + countWords(chunk).words, 0)).toBe(7)
})

test('an empty file has no chunk and no word', async () => {
  expect(await chunksFrom([], 10)).toEqual([])
  expect(summarise([])).toEqual({ words: 0, top: [], processes: [] })
})

test('a summary adds up the chunks and names the ten most frequent words', () => {
  const chunks = ['b a a', 'a b __proto__ constructor', 'c d e f g h i j k l m'].map((text) => ({ ...countWords(text), pid: text.length }))

  const { words, top, processes } = summarise(chunks)

  expect(words).toBe(18)
  expect(top.slice(0, 3)).toEqual([{ word: 'a', times: 3 }, { word: 'b', times: 2 }, { word: '__proto__', times: 1 }])
  expect(top).toHaveLength(10)
  expect(processes.map(({ chunks: count }) => count)).toEqual([1, 1, 1])
})

async function chunksFrom(stream: Iterable<Uint8Array>, size: number): Promise<string[]> {
  const chunks: string[] = []
  for await (const [text] of chunksOf(asStream(stream), size)) chunks.push(text)
  return chunks
}

async function* asStream(stream: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* stream
}

function* pieces(bytes: Buffer, step: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
}

/** How much text one task counts. */
const CHUNK_BYTES = 64 * 1024

/** Space, tab, line feed, vertical tab, form feed, carriage return. None of them is part of a longer character in UTF-8. */
const SPACES: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d])

/**
 * Cuts a stream of text into chunks of at most `size` bytes, between words: each chunk is the list of arguments of one task.
 *
 * A word that is longer than a chunk stays one word, but only its beginning is kept.
 */
export async function* chunksOf(stream: AsyncIterable<Uint8Array>, size: number = CHUNK_BYTES): AsyncGenerator<[text: string]> {
  let rest = Buffer.alloc(0)
  let isInLongWord = false
  for await (const bytes of stream) {
    rest = Buffer.concat([rest, isInLongWord ? bytes.subarray(nextSpace(bytes, 0)) : bytes])
    isInLongWord &&= rest.length === 0
    while (rest.length >= size) {
      const end = afterLastSpace(rest, size)
      yield [rest.toString('utf8', 0, end === 0 ? size : end)]
      rest = rest.subarray(end === 0 ? nextSpace(rest, size) : end)
      isInLongWord = end === 0 && rest.length === 0
    }
  }
  if (rest.length > 0) yield [rest.toString()]
}

/** Where the last word of the first `size` bytes begins; 0 when they are all one word. */
function afterLastSpace(bytes: Uint8Array, size: number): number {
  let end = size
  while (end > 0 && !SPACES.has(bytes[end - 1])) end -= 1
  return end
}

function nextSpace(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && !SPACES.has(bytes[at])) at += 1
  return at
}

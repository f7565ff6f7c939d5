import { expect, test } from 'vitest'

import { packExecution, unpackExecution } from '../../src/pools/pipe.ts'
import { execution } from './support.ts'

test('a body of text or bytes comes out of the pipe as it went in', () => {
  const text = execution('a', 'grüße \u2028 😀')
  const bytes = { ...text, body: new Uint8Array([0, 1, 254, 255]) }

  expect(throughPipe(text)).toEqual(text)
  expect(Buffer.from(throughPipe(bytes).body as Uint8Array)).toEqual(Buffer.from(bytes.body))
})

function throughPipe(given: Parameters<typeof packExecution>[0]): ReturnType<typeof unpackExecution> {
  return unpackExecution(JSON.parse(JSON.stringify(packExecution(given))) as ReturnType<typeof packExecution>)
}

import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TranscodedForm } from '../../src/backends/redis/transcoded-form.ts'
import { stringifyJson } from '../../src/protocol/json.ts'
import { decodeResultMeta, encodeResultMeta } from '../../src/protocol/result.ts'
import { serializerNamed } from '../../src/protocol/serializers/open.ts'
import { restoreTypes } from '../../src/protocol/typed-values.ts'

const value = fc.jsonValue({ depthSize: 'medium', stringUnit: 'binary' })

describe.each(['msgpack', 'yaml'] as const)('results in %s', (name) => {
  const form = new TranscodedForm(name)
  const serializer = serializerNamed(name)

  test('are read as what was stored', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }).filter((text) => text !== 'PENDING'), value, fc.option(fc.string({ unit: 'binary' })), (status, result, traceback) => {
        const text = encodeResultMeta({ taskId: 'a', status, resultText: stringifyJson(result, 'result'), traceback })
        const kept = form.keepResult({ taskId: 'a', status, text }, 0)
        const read = form.readResult('a', kept.text, 0)

        expect(kept).toMatchObject({ status, ttlMs: undefined, problem: undefined })
        expect(read?.status).toBe(status)
        expect(decodeResultMeta(read?.text ?? '')).toEqual(decodeResultMeta(text))
      }),
    )
  })

  test('hold bytes as bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (array) => {
        const bytes = Buffer.from(array)
        const text = encodeResultMeta({ taskId: 'a', status: 'SUCCESS', resultText: `[{"__type__": "base64", "__value__": "${bytes.toString('base64')}"}]`, traceback: null })
        const { text: kept } = form.keepResult({ taskId: 'a', status: 'SUCCESS', text }, 0)

        expect(serializer.decode(kept)).toMatchObject({ result: [bytes] })
        expect(restoreTypes(decodeResultMeta(form.readResult('a', kept, 0)?.text ?? '').result)).toEqual([bytes])
      }),
    )
  })

  test('are the failure that says why, whatever else is there', () => {
    const wrong = ['', '1', '[]', 'null', '{"status": 5}', '{"result": 1}', '{"status": "", "result": 1}', '{"status": "X", "celeriac-expires": x', '\x80\x04\x95\x0e', '\xff\xfe', 'a: b']

    for (const stored of wrong) {
      const record = form.readResult('a', Buffer.from(stored, 'latin1'), 0)
      expect([stored, record?.status]).toEqual([stored, 'FAILURE'])
      expect(decodeResultMeta(record?.text ?? '').result).toMatchObject({ exc_type: expect.stringMatching(/Error|ContentDisallowed/) })
      expect(form.readPushed('a', Buffer.from(stored, 'latin1'), 0)).toBe('unreadable')
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const record = form.readResult('a', Buffer.from(bytes), 0)
        expect(decodeResultMeta(record?.text ?? '').status).toBe(record?.status)
      }),
      { numRuns: 1000 },
    )
  })

  test('whose state is not said at their beginning are read all the same', () => {
    const meta = { children: [], result: { a: 1 }, status: 'FAILURE', extra: true, task_id: 'a' }

    const record = form.readPushed('a', Buffer.from(serializer.encode(meta, 'meta')), 0)

    expect(record).toEqual({ taskId: 'a', status: 'FAILURE', text: '{"status": "FAILURE", "children": [], "result": {"a":1}, "extra": true, "task_id": "a"}' })
  })
})

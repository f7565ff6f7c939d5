import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { failOnLeftovers } from '../support/leaks.ts'
import { ROOT } from './code-blocks.ts'
import { plainEnvironment } from './project.ts'

const DEMO_MS = 60_000
const WORDS = ['one', 'naïve', 'слово', '日本語', '__proto__', 'a\u00a0b', '𝒳𝒴', 'constructor', '\u0000', 'end.']

failOnLeftovers()

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'celeriac-demo-test-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the demonstration counts large files of any content as the shell does, and ends by itself', { timeout: DEMO_MS }, () => {
  const text = file('text.txt', Buffer.from(textOf(3_000_000)))
  const bytes = file('bytes.bin', bytesOf(2_500_000))

  const { status, stdout, stderr } = demo([text, bytes])

  expect(stderr).toBe('')
  expect(stdout.match(/^ {2}tr and wc count \d+ words: the same$/gm)).toHaveLength(2)
  expect(stdout).toMatch(/^All \d+ processes have ended/m)
  expect(status).toBe(0)
})

test('the demonstration fails when the shell counts otherwise', { timeout: DEMO_MS }, () => {
  const tools = join(folder, 'tools')
  const text = file('short.txt', Buffer.from('three short words'))
  spawnSync('mkdir', [tools])
  writeFileSync(join(tools, 'wc'), '#!/bin/sh\ncat >/dev/null\necho 4\n')
  chmodSync(join(tools, 'wc'), 0o755)

  const { status, stderr } = demo([text], { PATH: `${tools}${delimiter}${process.env['PATH']}` })

  expect(stderr).toBe(`The shell counts 4 words in ${text}, the tasks counted 3.\n`)
  expect(status).toBe(1)
})

test('the demonstration refuses a file that is not there before it starts anything', () => {
  const { status, stdout, stderr } = demo(['nowhere.txt'], { INIT_CWD: folder })

  expect(stderr).toBe(`Expected a file to count, but ${join(folder, 'nowhere.txt')} is none.\n`)
  expect(stdout).toBe('')
  expect(status).toBe(1)
})

function demo(args: readonly string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['examples/quickstart/demo.ts', ...args], { cwd: ROOT, env: plainEnvironment(env), encoding: 'utf8', timeout: DEMO_MS })
}

function file(name: string, content: Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** Words of every kind, with separators of every kind between them. */
function textOf(length: number): string {
  const pieces: string[] = []
  for (let size = 0, index = 0; size < length; index++) {
    const piece = `${WORDS[index % WORDS.length]}${' \t\n\v\f\r'[index % 6]}${index % 97 === 0 ? ' \n' : ''}`
    pieces.push(piece)
    size += Buffer.byteLength(piece)
  }
  return pieces.join('')
}

/** Bytes of every value in an order without any pattern to speak of: no text, and no valid UTF-8. */
function bytesOf(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let index = 0, state = 1; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[index] = state >>> 24
  }
  return bytes
}

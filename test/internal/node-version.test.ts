import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

import { requireNode } from '../../src/internal/node-version.ts'

test.each(['22.18.0', '22.19.1', '24.0.0'])('Node %s is new enough', (version) => {
  expect(() => requireNode(version)).not.toThrow()
})

test.each(['20.20.2', '22.17.9', '18.0.0'])('Node %s is told to be too old', (version) => {
  expect(() => requireNode(version)).toThrow(new Error(`celeriac needs Node 22.18 or later; this is v${version}`))
})

const ROOT = `${import.meta.dirname}/../..`
/** The machine's own Node; the tests run under the one that the repository brings along. */
const other = spawnSync('/usr/bin/node', ['--version'], { encoding: 'utf8' }).stdout?.trim()

describe.skipIf(!/^v(1\d|20)\./.test(other ?? ''))('under an older Node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-old-node-'))

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('the package and its command say in one line what they need, rather than failing to link', () => {
    withoutTypes(folder)
    writeFileSync(join(folder, 'app.mjs'), "import './src/index.js'")

    for (const file of ['app.mjs', 'src/cli/main.js']) {
      const { status, stderr } = spawnSync('/usr/bin/node', [join(folder, file)], { encoding: 'utf8' })
      expect(stderr).toContain(`Error: celeriac needs Node 22.18 or later; this is ${other}`)
      expect(status).toBe(1)
    }
  })
})

/** The sources as an older Node can read them. */
function withoutTypes(folder: string): void {
  for (const file of globSync('src/**/*.ts', { cwd: ROOT })) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    const text = stripTypeScriptTypes(readFileSync(join(ROOT, file), 'utf8')).replaceAll(/(?<=['"]\.[^'"\n]*)\.ts(?=['"])/g, '.js')
    writeFileSync(join(folder, file.replace(/\.ts$/, '.js')), text)
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Wake } from '../../src/internal/wake.ts'
import { within } from '../support/within.ts'

test('wakes whoever watches the same file', async () => {
  const path = temporaryPath()
  const [waker, sleeper] = [new Wake(path), new Wake(path)]
  const woken = Promise.withResolvers<void>()

  expect(sleeper.watch(() => woken.resolve())).toBe(true)
  waker.touch()

  await within(woken.promise, 'the wake-up')
  waker.close()
  sleeper.close()
})

test('says that it cannot watch where there is no folder, and touching does no harm', () => {
  const wake = new Wake('/nowhere/at/all')

  wake.touch()

  expect(wake.watch(() => {})).toBe(false)
  wake.close()
  wake.close()
})

function temporaryPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-wake-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'wake')
}

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

import { project, run, start } from '../cli/command.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { codeBlocks, ROOT } from './code-blocks.ts'

failOnLeftovers()

test('the commands of the guide do as printed what it says, with the files of the guide', { timeout: 30_000 }, async () => {
  const folder = project(Object.fromEntries(codeBlocks('docs/guide.md').flatMap(({ code, file }) => (file === undefined ? [] : [[file, code]]))))
  const words = commands()

  const worker = start(folder, words('worker'))
  await worker.printed('ready.')
  const status = await run(folder, words('status'))
  const { stdout: id } = await run(folder, words('call'))
  const result = await run(folder, [...words('result', id.trim()), '--timeout', '10'])
  const purge = await run(folder, words('purge'), { input: 'y\n' })
  const report = await run(folder, words('report'))
  worker.signal('SIGTERM')
  await worker.ended()
  const cluster = start(folder, words('cluster'))
  await cluster.printed('worker1')
  await cluster.printed('ready')
  cluster.signal('SIGTERM')

  expect(status.stdout).toContain('1 node online.')
  expect(result).toEqual({ code: 0, stdout: '3\n', stderr: '' })
  expect(purge).toMatchObject({ code: 0, stdout: expect.stringContaining('No messages purged') as unknown })
  expect(report.stdout).toContain('celeriac:')
  expect((await cluster.ended()).code).toBe(0)
})

/** Gives the words of a command as the guide prints it, without the name of the program. */
function commands(): (command: string, id?: string) => string[] {
  const lines = readFileSync(`${ROOT}/docs/guide.md`, 'utf8').split('\n').filter((line) => line.startsWith('    npx celeriac '))
  return (command, id = '') => {
    const [printed = ''] = lines.map((line) => line.trim().split(/ {2,}/)[0]).filter((line) => line?.includes(` ${command}`))
    if (printed === '') throw new Error(`Expected the guide to show "celeriac ${command}", but it does not.`)
    return printed.split(' ').slice(2).map((word) => word.replace('<id>', id).replaceAll("'", ''))
  }
}

import { describe, expect, test, vi } from 'vitest'

import { runCommandLine } from '../../src/cli/program.ts'
import { failOnLeftovers } from '../support/leaks.ts'
import { type Ended, project, run } from './command.ts'

failOnLeftovers()
const folder = project({})

describe('celeriac --help', () => {
  test.each(['', 'worker', 'cluster', 'status', 'call', 'result', 'purge', 'report'])('lists everything for "%s"', async (command) => {
    const { code, stdout } = await runHere([...command.split(' ').filter(Boolean), '--help'])

    expect(stdout).toMatchSnapshot()
    expect(code).toBe(0)
  })

  test('goes to standard error, as a usage error, when no command is given', async () => {
    const { code, stdout, stderr } = await run(folder, [])

    expect(stderr).toContain('Usage: celeriac [options] [command]')
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })
})

describe('celeriac --version', () => {
  test('prints the version of the package', async () => {
    const { code, stdout } = await run(folder, ['--version'])

    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect(code).toBe(0)
  })
})

describe('a usage error', () => {
  test('ends the process with exit code 2', async () => {
    const { code, stderr } = await run(folder, ['worker', '--nope'])

    expect(stderr).toBe("Error: unknown option '--nope'\n(add --help for what there is)\n")
    expect(code).toBe(2)
  })

  test.each([
    [['statis'], `unknown command 'statis'\n(Did you mean status?)`],
    [['worker', '--loglevl', 'info'], `unknown option '--loglevl'\n(Did you mean --loglevel?)`],
    [['worker', '--nope'], `unknown option '--nope'`],
    [['worker', '-c', '0'], 'Expected a whole number, at least 1.'],
    [['worker', '-l', 'loud'], 'Expected one of "debug", "info", "warning", "error", "critical".'],
    [['worker', '-P', 'threads'], 'Expected one of "prefork", "async", "solo".'],
    [['worker', '-n', 'a b'], 'Expected a name such as "foo" or "foo@%h"'],
    [['worker', '-Q', ','], 'Expected names of queues with commas between them.'],
    [['status', '--timeout', 'soon'], 'Expected more than 0 seconds as a number'],
    [['call'], `missing required argument 'name'`],
    [['call', 'add', '-a', '{"x": 1}'], `Expected a JSON array such as '[1, "two"]'.`],
    [['call', 'add', '-k', '[1'], `Expected a JSON object such as '{"width": 640}'.`],
    [['call', 'add', '--eta', 'tomorrow'], 'Expected a time in ISO 8601'],
    [['call', 'add', '--priority', '10'], 'Expected a whole number from 0 to 9.'],
    [['call', 'add', '--countdown', '1', '--eta', '2030-01-01'], 'cannot be used with option'],
  ])('of %j says what was expected', async (words, message) => {
    const { code, stdout, stderr } = await runHere(words)

    expect(stderr).toMatch(/^Error: /)
    expect(stderr).toContain(message)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })
})

/** Runs what needs no application within this process. */
async function runHere(words: readonly string[]): Promise<Ended> {
  const printed = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      printed[stream] += String(text)
      return true
    }),
  )
  try {
    return { code: await runCommandLine(words), ...printed }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

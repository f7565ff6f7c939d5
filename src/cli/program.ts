import { Command, CommanderError } from 'commander'

import { addCallCommand } from './call.ts'
import { addClusterCommand } from './cluster.ts'
import { EXIT } from './exit-codes.ts'
import { failureOf } from './failure.ts'
import { addGlobalOptions, type GlobalOptions } from './global-options.ts'
import { addPurgeCommand } from './purge.ts'
import { addReportCommand } from './report.ts'
import { addResultCommand } from './result.ts'
import { addStatusCommand } from './status.ts'
import { packageVersion } from './version.ts'
import { addWorkerCommand } from './worker.ts'

/** Runs the command that `words` name, as they follow `celeriac` on a command line. Resolves to the exit code. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync([...words], { from: 'user' })
    return 0
  } catch (error) {
    // Commander has said what it had to say.
    if (error instanceof CommanderError) return ['commander.helpDisplayed', 'commander.version'].includes(error.code) ? 0 : EXIT.usage
    const failure = failureOf(error)
    console.error(`Error: ${failure.message}`)
    return failure.exitCode
  }
}

function createProgram(): Command {
  const program = new Command('celeriac')
  // Settings first: commands inherit those that are there when they are added.
  program
    .description('Run and ask the workers of a Celeriac application.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'Error: ')) })
    .showHelpAfterError('(add --help for what there is)')
    .exitOverride()
    .hook('preAction', (_program, command) => applyColor(command.optsWithGlobals<GlobalOptions>()))
  addGlobalOptions(program)
  addWorkerCommand(program)
  addClusterCommand(program)
  addStatusCommand(program)
  addCallCommand(program)
  addResultCommand(program)
  addPurgeCommand(program)
  addReportCommand(program)
  return program
}

/** For us, the application, and the processes that we start. */
function applyColor({ color }: GlobalOptions): void {
  if (color) return
  delete process.env['FORCE_COLOR']
  process.env['NO_COLOR'] = '1'
}

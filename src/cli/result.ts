import { inspect } from 'node:util'
import type { Command } from 'commander'

import type { App } from '../app.ts'
import { seconds } from '../config/kinds.ts'
import { isPlainTree } from '../graph/plain.ts'
import { EXIT } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import type { GlobalOptions } from './global-options.ts'
import { valueOf } from './values.ts'
import { withCelery } from './with-celery.ts'

interface ResultOptions extends GlobalOptions {
  readonly traceback?: boolean
  readonly timeout: number
}

/** Adds `celeriac result`. */
export function addResultCommand(program: Command): void {
  program
    .command('result')
    .description('Print the result of a task, as JSON where that can hold it.')
    .argument('<id>', 'id of the task')
    .option('--traceback', 'print where the error of a failed task was thrown')
    .option('-t, --timeout <seconds>', 'how long to wait for the task; 0 looks once', valueOf(seconds('from 0')), 0)
    .action((id: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<ResultOptions>()
      return withCelery(options, (celery) => showResult(celery, id, options))
    })
}

/** Only a wait that ran out rejects here; the error of the task itself is a value. */
async function showResult(celery: App, id: string, { timeout, traceback }: ResultOptions): Promise<void> {
  const future = celery.get(id)
  const error = await future.exception({ timeout })
  if (error === undefined) return console.log(shown(await future.result()))
  const stack = traceback === true ? await future.traceback() : undefined
  throw new CommandFailure(stack ?? `${error.name}: ${error.message}`, EXIT.failure)
}

function shown(value: unknown): string {
  return isPlainTree(value) ? JSON.stringify(value) : inspect(value, { depth: null })
}

import { type Command, Option } from 'commander'

import type { CeleryOptions } from '../config/celery-options.ts'

/** Options that every command takes, before or after its name. */
export interface GlobalOptions {
  readonly app?: string
  readonly broker?: string
  readonly resultBackend?: string
  readonly quiet?: boolean
  readonly color: boolean
}

/** Adds the options that every command takes. */
export function addGlobalOptions(program: Command): void {
  program
    .addOption(
      new Option('-A, --app <path>', 'the application: a module or "path:attribute" (default: ./app, ./src/app, ./server or ./celery if there is one)').env('CELERIAC_APP'),
    )
    .option('-b, --broker <url>', "where messages wait, over the application's brokerUrl")
    .option('--result-backend <url>', "where results are kept, over the application's resultBackend")
    .option('-q, --quiet', 'print results and problems only')
    .option('--no-color', 'print without colors')
}

/** The configuration that the command line decides, whatever the application says. */
export function overridesOf({ broker, resultBackend }: GlobalOptions): CeleryOptions {
  return { ...(broker !== undefined && { brokerUrl: broker }), ...(resultBackend !== undefined && { resultBackend }) }
}

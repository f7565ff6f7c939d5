import { type Command, Option } from 'commander'

import type { App } from '../app.ts'
import type { Duration } from '../config/duration.ts'
import { integer, seconds, text } from '../config/kinds.ts'
import type { SendOptions } from '../send-options.ts'
import type { GlobalOptions } from './global-options.ts'
import { refusePrivateBroker } from './private-broker.ts'
import { durationOrTime, jsonArray, jsonObject, time, valueOf } from './values.ts'
import { withCelery } from './with-celery.ts'

interface CallOptions extends GlobalOptions {
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly queue?: string
  readonly countdown?: number
  readonly eta?: Date
  readonly expires?: Duration | Date
  readonly priority?: number
  readonly taskId?: string
}

/** Adds `celeriac call`. */
export function addCallCommand(program: Command): void {
  program
    .command('call')
    .description('Send a task by its name and print its id.')
    .argument('<name>', 'name of the task')
    .addOption(new Option('-a, --args <json>', 'positional arguments, a JSON array').argParser(valueOf(jsonArray)).default([], '[]'))
    .addOption(new Option('-k, --kwargs <json>', 'keyword arguments, a JSON object').argParser(valueOf(jsonObject)).default({}, '{}'))
    .option('--queue <name>', "where to send it (default: the task's queue, then taskDefaultQueue)", valueOf(text()))
    .addOption(new Option('--countdown <seconds>', 'run after so long (default: at once)').argParser(valueOf(seconds('from 0'))).conflicts('eta'))
    .option('--eta <time>', 'run at this time, ISO 8601 (default: at once)', valueOf(time))
    .option('--expires <seconds or time>', 'do not run after that (default: never)', valueOf(durationOrTime))
    .option('--priority <number>', '0 to 9, the highest (default: taskDefaultPriority, 0)', valueOf(integer(0, 9)))
    .option('--task-id <id>', 'id of the task (default: a new UUID)', valueOf(text()))
    .action((name: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<CallOptions>()
      return withCelery(options, (celery) => call(celery, name, options))
    })
}

async function call(celery: App, name: string, options: CallOptions): Promise<void> {
  refusePrivateBroker(celery.conf)
  // A task that is known here brings its own queue, and the module where a worker finds it.
  const task = celery.registry.find(name)
  const { args, kwargs } = options
  const sending = task === undefined ? celery.sendTask(name, args, kwargs, sendOptions(options)) : task.applyAsync([...args], kwargs, sendOptions(options))
  console.log((await sending).id)
}

function sendOptions({ queue, countdown, eta, expires, priority, taskId }: CallOptions): SendOptions {
  return Object.fromEntries(Object.entries({ queue, countdown, eta, expires, priority, taskId }).filter(([, value]) => value !== undefined))
}

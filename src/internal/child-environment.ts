/** What a process of ours is for. Set by its parent, so that nothing starts local services inside one. */
export const ROLE_VARIABLE = 'CELERIAC_ROLE'

/** Options of node that belong to the web process alone: its watcher, its debugger, its test run, its script. */
const OWN_OPTION = /^--(?:watch|inspect|debug-port|test|experimental-test|eval|print|interactive|input-type|check|run)(?:$|[-=])/
/** `-e`, `-p`, `-i`, `-c` and their combinations such as `-pe`. */
const OWN_SHORT_OPTION = /^-[cepi]+$/
/** What follows these is a program, whatever it begins with. */
const TAKES_PROGRAM = /^(?:--eval|--print|-[cpi]*e|-i?p)$/

const OWN_VARIABLE = /^(?:WATCH_REPORT_DEPENDENCIES|NODE_CHANNEL_\w+|NODE_UNIQUE_ID|NODE_TEST_CONTEXT|VITEST\w*)$/

/**
 * The parent's options of node as its children get them: loaders, conditions and limits stay, what
 * watches, debugs, tests or evaluates goes.
 */
export function childExecArgv(execArgv: readonly string[] = process.execArgv): string[] {
  const kept: string[] = []
  let dropping = false
  let isProgram = false
  for (const word of execArgv) {
    if (isProgram) {
      isProgram = false
    } else if (word.startsWith('-')) {
      dropping = OWN_OPTION.test(word) || OWN_SHORT_OPTION.test(word)
      isProgram = dropping && TAKES_PROGRAM.test(word)
      if (!dropping) kept.push(word)
    } else if (!dropping) {
      // The value of the option before it: node takes the script and its arguments out of `execArgv`.
      kept.push(word)
    }
  }
  return kept
}

/** The parent's environment as its children get it, marked with their role. */
export function childEnvironment(role: 'worker' | 'pool', env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(env).filter(([name]) => !OWN_VARIABLE.test(name)))
  const options = kept['NODE_OPTIONS']
  if (options !== undefined) kept['NODE_OPTIONS'] = childNodeOptions(options)
  return { ...kept, [ROLE_VARIABLE]: role }
}

/** This process was started by local services, or by a worker, or is a command that only asks: it starts no local services itself. */
export function isServiceProcess(env: NodeJS.ProcessEnv = process.env): boolean {
  return ['worker', 'pool', 'command'].includes(env[ROLE_VARIABLE] ?? '')
}

function childNodeOptions(options: string): string {
  // Words with quotes or escapes are left as they are: taking them apart wrongly would break every child.
  if (/["'\\]/.test(options)) return options
  return childExecArgv(options.split(/\s+/).filter((word) => word !== '')).join(' ')
}

import { flag, type Kind, refuse, show, textList, type Where } from './kinds.ts'

const PICKLE = 'reading pickle would run code chosen by whoever wrote the message'

/** The name of a serializer: only `json` in this version. */
export const serializer: Kind<'json'> = {
  expected: '"json"',
  fromText: (value) => value.trim(),
  read(value, where, problems) {
    if (typeof value !== 'string') return refuse(value, this.expected, where, problems)
    return isJson(value) ? 'json' : refuseContent(value, where, problems)
  },
}

/** Content types that are read: only `json` in this version. */
export const acceptedContent: Kind<readonly 'json'[]> = {
  ...textList(),
  expected: '["json"]',
  read(value, where, problems) {
    const names = textList().read(value, where, problems)
    if (names === undefined) return undefined
    if (names.length === 0) return refuse(value, this.expected, where, problems)
    for (const name of names) if (!isJson(name)) refuseContent(name, where, problems)
    return ['json']
  },
}

/** A service that can only be switched off in this version. */
export function switchedOff(service: string): Kind<boolean> {
  const base = flag()
  return {
    ...base,
    expected: 'false',
    read(value, where, problems) {
      const isOn = base.read(value, where, problems)
      if (isOn) problems.push(`"${where.name}"${where.place} cannot be true: ${service} is not available in this version. Leave it out or set it to false.`)
      return isOn === undefined ? undefined : false
    },
  }
}

function isJson(name: string): boolean {
  return name === 'json' || name === 'application/json'
}

function refuseContent(name: string, where: Where, problems: string[]): undefined {
  const why = /pickle/.test(name) ? PICKLE : 'this version knows only "json"'
  problems.push(`"${where.name}"${where.place} cannot use ${show(name)}: ${why}. Use "json".`)
}

import { flag, type Kind } from './kinds.ts'

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

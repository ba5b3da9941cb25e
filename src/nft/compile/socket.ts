/** `socket`: the socket that the packet belongs to; `osf`: the operating system that sent it. */
import { InvalidValue, quote, socketKeys } from '../datatype/index.js'
import { OSF_VERSION, OsfTtls } from '../kernel/load-constants.js'
import type { OsfExpression, SocketExpression } from '../model/index.js'
import { loadedValue, type ValueOperand } from './operand.js'

export function socketOperand({ key, level }: SocketExpression['socket']): ValueOperand {
  const found = socketKeys.find((each) => each.name === key)
  if (found === undefined)
    throw new InvalidValue(
      `${quote(key)} is no key of socket: transparent, mark, wildcard or cgroupv2 is expected`,
    )
  if (key === 'cgroupv2' ? !Number.isInteger(level) || level < 0 || level > 255 : level !== undefined)
    throw new InvalidValue('cgroupv2 has a level from 0 to 255, the other keys have none')
  const data = { key: found.number, ...(level === undefined ? {} : { level }) }
  return loadedValue(found, (dreg) => ({ name: 'socket', data: { dreg, ...data } }))
}

const osfName = { type: 'string', length: 16, order: 'host' } as const

export function osfOperand({ key, ttl }: OsfExpression['osf']): ValueOperand {
  if (key !== 'name' && key !== 'version')
    throw new InvalidValue(`${quote(key)} is no key of osf: name or version is expected`)
  const number = ttl === undefined ? 0 : Object.hasOwn(OsfTtls, ttl) ? OsfTtls[ttl] : undefined
  if (number === undefined)
    throw new InvalidValue(`${quote(ttl)} is no way to compare the TTL: loose or skip is expected`)
  const data = { ttl: number, ...(key === 'version' ? { flags: OSF_VERSION } : {}) }
  return loadedValue(osfName, (dreg) => ({ name: 'osf', data: { dreg, ...data } }))
}

import { parseAddress } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import { checkArray, checkObject, checkString } from '../../input.js'
import type { AddHostOption } from '../options.js'
import { checkHostName } from './identity.js'
import type { AddedHost } from './records.js'

/** @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_INVALID_NAME, NFB_INVALID_ADDRESS */
export function parseAddHosts(
  options: readonly AddHostOption[],
  operation: string,
  path: string,
): AddedHost[] {
  return checkArray(options, operation, path).map((option, index) =>
    parseAddHost(option, operation, joinPath(path, index)),
  )
}

/** The text that is read as the same line: `db:192.0.2.7`, `db:[2001:db8::7]`. */
export function addHostText({ name, address }: AddedHost): string {
  const isIPv6 = address !== 'host-gateway' && address.family === 6
  return isIPv6 ? `${name}:[${address}]` : `${name}:${address}`
}

function parseAddHost(option: AddHostOption, operation: string, path: string): AddedHost {
  if (typeof option !== 'string') {
    checkObject(option, ['name', 'address'], operation, path)
    const name = checkString(option.name, operation, joinPath(path, 'name'))
    const address = checkString(option.address, operation, joinPath(path, 'address'))
    return {
      name: checkHostName(name, joinPath(path, 'name')),
      address: parseTarget(address, joinPath(path, 'address')),
    }
  }
  const [, name, address] = /^([^:=]+)[:=](.+)$/s.exec(option) ?? []
  if (name === undefined || address === undefined) {
    const message = `"${option}" is no line for a hosts file: the name, ":", and its address or "host-gateway"`
    throw new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation, message, path })
  }
  return { name: checkHostName(name, path), address: parseTarget(address, path) }
}

function parseTarget(text: string, path: string): AddedHost['address'] {
  if (text === 'host-gateway') return text
  return parseAddress(/^\[(.*:.*)\]$/.exec(text)?.[1] ?? text, path)
}

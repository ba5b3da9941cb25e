import { NfbridgeError } from '../../errors.js'
// Not from the folder's index, which loads the addon: parsing and planning need none.
import { checkInterfaceName } from '../../rtnl/names.js'

/**
 * The name of an interface that rules name. The kernel takes a `*` in one, and nf_tables takes it for every interface that begins so.
 * @throws NfbridgeError NFB_INVALID_NAME
 */
export function checkNameInRules(name: string, operation: string, path: string): string {
  if (checkInterfaceName(name, operation, path).includes('*'))
    throw invalid(`"${name}" would stand for several interfaces in rules`, operation, path)
  return name
}

/**
 * The name of an interface that is to be made, with settings of its own below net.ipv4.conf.
 * @throws NfbridgeError NFB_INVALID_NAME
 */
export function checkNewName(name: string, operation: string, path: string): string {
  if (checkInterfaceName(name, operation, path) !== 'all' && name !== 'default') return name
  throw invalid(`"${name}" stands for every interface below net.ipv4.conf`, operation, path)
}

function invalid(message: string, operation: string, path: string): NfbridgeError {
  return new NfbridgeError({ code: 'NFB_INVALID_NAME', operation, message, path })
}

import { joinPath, NfbridgeError } from '../../errors.js'
import { checkIsObject, checkString } from '../../input.js'
import type { Refuse } from './claims.js'
import type { Family } from './records.js'

/** Values of an interface's settings in a container, by names that have `IFNAME` for it, as Docker writes them. */
export type EndpointSysctls = Readonly<Record<string, string>>

/** What a record has of them: absent where there are none. */
export interface WithSysctls {
  readonly sysctls?: EndpointSysctls
}

/** Those of one interface: nothing else of the namespace is the endpoint's, and the last part can lead nowhere else. */
const NAME = /^net\.ipv[46]\.(conf|neigh)\.IFNAME\.[a-zA-Z0-9_]+$/
const VALUE = /^[\x20-\x7e\t]{1,255}$/
const DISABLE_IPV6 = 'net.ipv6.conf.IFNAME.disable_ipv6'
const ADDRESS_GENERATION = 'net.ipv6.conf.IFNAME.addr_gen_mode'

/** @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_INVALID_NAME, NFB_SETTING_CONFLICT */
export function parseEndpointSysctls(
  given: Readonly<Record<string, string | number>> | undefined,
  operation: string,
  path: string,
): WithSysctls {
  if (given === undefined) return {}
  const sysctls = Object.entries(checkIsObject(given, operation, path)).map(([name, value]) => {
    const refuse = (
      code: 'NFB_INVALID_ARGUMENT' | 'NFB_INVALID_NAME' | 'NFB_SETTING_CONFLICT',
      message: string,
    ) => new NfbridgeError({ code, operation, message, path: joinPath(path, name) })
    if (!NAME.test(name)) {
      const message = `${JSON.stringify(name)} is no setting of an interface: net.ipv4.conf.IFNAME.…, net.ipv6.conf.IFNAME.… or neigh for conf, with IFNAME as it stands here`
      throw refuse('NFB_INVALID_NAME', message)
    }
    if (name === ADDRESS_GENERATION) {
      const message =
        'addresses are given, and none is made by the kernel: the senders that a network lets pass have no other'
      throw refuse('NFB_SETTING_CONFLICT', message)
    }
    const text = Number.isInteger(value) ? String(value) : checkString(value, operation, joinPath(path, name))
    if (VALUE.test(text)) return [name, text] as const
    throw refuse('NFB_INVALID_ARGUMENT', 'a value is a line of 1 to 255 printable characters')
  })
  return sysctls.length === 0 ? {} : { sysctls: Object.fromEntries(sysctls) }
}

/** Refuses what takes away the addresses that the container gets. */
export function checkEndpointSysctls(
  { sysctls = {} }: WithSysctls,
  families: readonly Family[],
  refuse: Refuse,
): void {
  const value = sysctls[DISABLE_IPV6]
  if (value === undefined || Number(value) === 0 || !families.includes(6)) return
  const message = 'it would take the IPv6 addresses away that the network gives; make the network without'
  throw refuse('NFB_SETTING_CONFLICT', message, joinPath('sysctls', DISABLE_IPV6))
}

/** The name of a setting for an interface, with slashes: an interface's name may have dots. */
export function endpointSysctl(name: string, interfaceName: string): string {
  return name
    .split('.')
    .map((part) => (part === 'IFNAME' ? interfaceName : part))
    .join('/')
}

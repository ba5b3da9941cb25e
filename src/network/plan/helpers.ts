import type { Protocol } from '../../address/index.js'
import { joinPath, NfbridgeError } from '../../errors.js'
import { checkArray, checkOneOf } from '../../input.js'
import type { HelperName } from '../options.js'

/** A protocol that names further connections within its own, and the port that it has by itself (nf_conntrack_<name>). */
interface HelperProtocol {
  readonly protocols: readonly ('tcp' | 'udp')[]
  readonly port: number
}

const HELPERS: Readonly<Record<HelperName, HelperProtocol>> = {
  ftp: { protocols: ['tcp'], port: 21 },
  irc: { protocols: ['tcp'], port: 6667 },
  sip: { protocols: ['udp', 'tcp'], port: 5060 },
  tftp: { protocols: ['udp'], port: 69 },
  amanda: { protocols: ['udp'], port: 10_080 },
  sane: { protocols: ['tcp'], port: 6566 },
}

export const HELPER_NAMES: readonly HelperName[] = ['ftp', 'irc', 'sip', 'tftp', 'amanda', 'sane']

/** The kernel's helper for one transport protocol: a named object of our table. */
export interface HelperObject {
  readonly name: string
  readonly type: HelperName
  readonly protocol: 'tcp' | 'udp'
}

/** All that there may be, by name: they are made when the first element refers to one, and go with the table. */
export const HELPER_OBJECTS: ReadonlyMap<string, HelperObject> = new Map(
  HELPER_NAMES.flatMap((type) =>
    HELPERS[type].protocols.map((protocol) => {
      const name = helperObject(type, protocol)
      return [name, { name, type, protocol }] as const
    }),
  ),
)

export function helperObject(type: HelperName, protocol: Protocol): string {
  return `${type}_${protocol}`
}

/** The ports that a helper's connections go to by themselves. */
export function helperPorts(type: HelperName): { readonly protocol: 'tcp' | 'udp'; readonly port: number }[] {
  const { protocols, port } = HELPERS[type]
  return protocols.map((protocol) => ({ protocol, port }))
}

/** The helper of a publication. @throws NfbridgeError NFB_INVALID_ARGUMENT, NFB_SETTING_CONFLICT (of another protocol) */
export function parseHelper(given: unknown, protocol: Protocol, operation: string, path: string): HelperName {
  const helper = checkOneOf(given, HELPER_NAMES, operation, path)
  const { protocols } = HELPERS[helper]
  if (protocols.some((each) => each === protocol)) return helper
  throw new NfbridgeError({
    code: 'NFB_SETTING_CONFLICT',
    operation,
    message: `the helper "${helper}" is for ${protocols.join(' and ')}, and the port is of ${protocol}; say protocol: '${protocols[0]}'`,
    path,
  })
}

/** Helpers of a network, each once. @throws NfbridgeError NFB_INVALID_ARGUMENT */
export function parseHelpers(given: readonly HelperName[], operation: string, path: string): HelperName[] {
  const names = checkArray(given, operation, path)
  return [
    ...new Set(names.map((name, index) => checkOneOf(name, HELPER_NAMES, operation, joinPath(path, index)))),
  ]
}

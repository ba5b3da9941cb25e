/** Containers of both families on one network with `icc: false`, and the frames that they send each other. */
import type { Container, NetworkOptions } from '../../../src/index.js'
import { arrivals, type Sending } from './arrivals.js'
import { type Fragmented, frame, isIPv6, type Packet, type Party } from './packets.js'
import { createSetting, type Setting } from './setting.js'

export const FAMILIES = [4, 6] as const
export type Family = (typeof FAMILIES)[number]

/** The host's sysctls bridge-nf-call-…: what becomes of frames must not depend on them. */
export const BRIDGE_NETFILTER = ['0', '1'] as const

/** Each family with each value of the sysctls. */
export const WAYS = BRIDGE_NETFILTER.flatMap((sysctl) => FAMILIES.map((family) => ({ family, sysctl })))

/** A packet that is sent as it is, in pieces, or in frames of another kind. */
export type Sent = Packet | Fragmented | Sending

/** One family with each, where the other two would tell nothing new. */
export const SOME_WAYS = [
  { family: 4, sysctl: '0' },
  { family: 6, sysctl: '1' },
] as const

export interface LinkSetting extends Setting {
  /** The names of the packets that get from one machine to another. */
  arrive(from: string, to: string, sent: Readonly<Record<string, Sent>>): Promise<string[]>
}

export async function createLinkSetting(
  names: readonly string[],
  options: Partial<NetworkOptions> & { readonly sysctl?: (typeof BRIDGE_NETFILTER)[number] } = {},
): Promise<LinkSetting> {
  const { sysctl = '0', ...networkOptions } = options
  const setting = await createSetting(names, {
    subnet: undefined,
    pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }],
    icc: false,
    ...networkOptions,
  })
  for (const name of ['iptables', 'ip6tables'])
    await setting.host.namespace.writeSysctl(`net/bridge/bridge-nf-call-${name}`, sysctl)
  return {
    ...setting,
    arrive: (from, to, sent) =>
      arrivals(
        setting.machine(from).namespace,
        setting.machine(to).namespace,
        Object.fromEntries(Object.entries(sent).map(([name, one]) => [name, sending(one)])),
      ),
  }
}

function sending(sent: Sent): Sending {
  if ('frames' in sent) return sent
  const { whole, pieces } = 'pieces' in sent ? sent : { whole: sent, pieces: [sent] }
  return { frames: pieces.map((piece) => frame(piece)), mark: Uint8Array.from(whole.payload) }
}

/** One machine in both families. */
export type Parties = Readonly<Record<Family, Party>>

/** A container in both families. */
export function parties(container: Container): Parties {
  return { 4: party(container, 4), 6: party(container, 6) }
}

/** A container as the sender or receiver of packets. */
export function party(container: Container, family: Family): Party {
  const address = family === 4 ? container.address : container.ipv6Address
  if (address === undefined || isIPv6(address) !== (family === 6)) throw new Error('no such address')
  return { mac: container.mac, address }
}

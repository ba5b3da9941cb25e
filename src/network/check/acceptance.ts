/** What a rule has to accept so that a packet passes a hook, as nft and iptables write it. */
import type { Packet } from '../../explain/index.js'
import type { Hook } from '../../nft/index.js'
import type { NetworkRecord } from '../plan/records.js'

/** A match on what tells our traffic from others' at a hook. */
export interface Acceptance {
  readonly input?: string
  readonly output?: string
  /** Of family bridge, whose rules see ports and, on some kernels, no bridges: addresses of a pool, as nft writes it. */
  readonly pool?: string
  readonly destination?: string
  readonly port?: { readonly protocol: 'tcp' | 'udp' | 'sctp'; readonly number: number }
}

const PROTOCOLS: ReadonlyMap<number, 'tcp' | 'udp' | 'sctp'> = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [132, 'sctp'],
])

/** @param networks ours, that the packet is of */
export function acceptancesOf(
  family: string,
  hook: Hook,
  packet: Packet,
  networks: readonly Pick<NetworkRecord, 'bridges' | 'pools'>[],
): Acceptance[] {
  const bridges = networks.flatMap((network) => network.bridges)
  if (family === 'bridge')
    return networks.flatMap(({ pools }) =>
      pools.flatMap(({ subnet }) =>
        (subnet.family === 4
          ? ['ip saddr', 'ip daddr', 'arp saddr ip', 'arp daddr ip']
          : ['ip6 saddr', 'ip6 daddr']
        ).map((field) => ({ pool: `${field} ${subnet}` })),
      ),
    )
  if (hook === 'forward' || hook === 'postrouting')
    return bridges.flatMap((bridge) => [{ input: bridge }, { output: bridge }])
  const { inputDevice, outputDevice } = packet
  if (inputDevice && isOurs(inputDevice, bridges)) return [{ input: inputDevice.name }]
  if (!inputDevice && outputDevice && isOurs(outputDevice, bridges)) return [{ output: outputDevice.name }]
  const protocol = PROTOCOLS.get(packet.protocol)
  const number = packet.destinationPort
  return [
    {
      ...(inputDevice && hook !== 'ingress' && { input: inputDevice.name }),
      destination: packet.destination,
      ...(protocol && typeof number === 'number' && { port: { protocol, number } }),
    },
  ]
}

/** One of our bridges, or a port of one. */
function isOurs(link: NonNullable<Packet['inputDevice']>, bridges: readonly string[]): boolean {
  return bridges.includes(link.name) || link.port !== undefined
}

/** `iifname "docker0"` */
export function nftText({ input, output, pool, destination, port }: Acceptance): string {
  return [
    ...(input === undefined ? [] : [`iifname "${input}"`]),
    ...(output === undefined ? [] : [`oifname "${output}"`]),
    ...(pool === undefined ? [] : [pool]),
    ...(destination === undefined
      ? []
      : [`${destination.includes(':') ? 'ip6' : 'ip'} daddr ${destination}`]),
    ...(port === undefined ? [] : [`${port.protocol} dport ${port.number}`]),
  ].join(' ')
}

/** `-i docker0` */
export function iptablesText({ input, output, destination, port }: Acceptance): string {
  return [
    ...(input === undefined ? [] : [`-i ${input}`]),
    ...(output === undefined ? [] : [`-o ${output}`]),
    ...(destination === undefined ? [] : [`-d ${destination}`]),
    ...(port === undefined ? [] : [`-p ${port.protocol} --dport ${port.number}`]),
  ].join(' ')
}

/** Without those of single ports where all of an address's are accepted. */
export function withoutCovered(acceptances: readonly Acceptance[]): Acceptance[] {
  const whole = new Set(acceptances.filter(({ port }) => port === undefined).map((each) => nftText(each)))
  return acceptances.filter((each) => {
    const { port, ...rest } = each
    return port === undefined || !whole.has(nftText(rest))
  })
}

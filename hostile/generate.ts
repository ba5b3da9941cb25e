/** Frames at random, by the grammar of `frame.ts`. Most properties are left out of most frames: one that is wrong in everything arrives nowhere. */
import {
  ARP_OPERATIONS,
  ERROR_TYPES,
  EXTENSION_TYPES,
  FOREIGN_TYPES,
  ICMP_TYPES,
  PLAIN_PROTOCOLS,
  PORTS,
  SOURCE_PORTS,
  TAG_TYPES,
} from './alphabet.js'
import type {
  Arp,
  DiscoveryOption,
  Ethernet,
  Extension,
  Foreign,
  Frame,
  Icmp,
  Ip,
  Option,
  Packet,
  Payload,
} from './frame.js'
import type { Random } from './random.js'

/** The names that frames may use. */
export interface Vocabulary {
  readonly sources: readonly string[]
  readonly destinations: readonly string[]
  readonly macs: readonly string[]
  /** Who is on the same bridge, whatever the sender is. */
  readonly neighbours: readonly string[]
}

/** Either of two, one of which is what an honest sender would do: undefined. */
function sometimes<T>(random: Random, times: number, make: () => T): T | undefined {
  return random.once(times) ? make() : undefined
}

/** Without the properties that are undefined. */
function compact<T extends object>(value: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T
}

function several<T>(random: Random, most: number, make: () => T): T[] {
  return Array.from({ length: 1 + random.below(most) }, make)
}

export function randomFrame(random: Random, names: Vocabulary): Frame {
  const packet = random.once(12) ? randomDiscovery(random, names) : randomPacket(random, names)
  const to = 'payload' in packet ? packet.destination : undefined
  const ethernet = randomEthernet(random, names)
  return compact<Frame>({
    // Straight to a neighbour, more often than two choices would hit the same.
    ethernet:
      to !== undefined && names.neighbours.includes(to) && random.once(2)
        ? { ...ethernet, destination: to }
        : ethernet,
    packet,
    cut: sometimes(random, 24, () => 14 + random.below(80)),
  })
}

function randomEthernet(random: Random, names: Vocabulary): Ethernet {
  return compact<Ethernet>({
    source: sometimes(random, 10, () => random.of(names.macs)),
    destination: sometimes(random, 2, () => random.of(names.macs)),
    type: sometimes(random, 40, () => random.of(FOREIGN_TYPES)),
    tags: sometimes(random, 16, () =>
      several(random, 2, () => ({ type: random.of(TAG_TYPES), vlan: random.of([0, 1, 5, 4095]) })),
    ),
  })
}

function randomPacket(random: Random, names: Vocabulary): Packet {
  const choice = random.below(20)
  if (choice < 3) return randomArp(random, names)
  if (choice < 4) return randomForeign(random, names)
  return randomIp(random, names, 2)
}

/** What a router or a neighbour says to all: whole, for one property that is wrong is enough to be passed over. */
function randomDiscovery(random: Random, names: Vocabulary): Ip {
  const type = random.of([133, 134, 135, 136, 137])
  return compact<Ip>({
    kind: 'ipv6',
    source: type === 133 && random.once(2) ? undefined : 'link-local',
    destination: random.of(['all', 'all', 'bridge', 'bridge-link-local', random.of(names.destinations)]),
    payload: compact<Icmp>({
      kind: 'icmp',
      type,
      target: type === 134 ? undefined : random.of(['own', 'link-local', random.of(names.sources)]),
      options: sometimes(random, 2, () => several(random, 3, () => randomDiscoveryOption(random, names))),
    }),
  })
}

function randomArp(random: Random, names: Vocabulary): Arp {
  return compact<Arp>({
    kind: 'arp',
    operation: sometimes(random, 2, () => random.of(ARP_OPERATIONS)),
    senderMac: sometimes(random, 4, () => random.of(names.macs)),
    sender: sometimes(random, 3, () => random.of(names.sources)),
    targetMac: sometimes(random, 3, () => random.of(names.macs)),
    target: sometimes(random, 2, () => random.of(names.destinations)),
    lengths: sometimes(random, 20, (): readonly [number, number] => [
      random.of([6, 0, 8, 255]),
      random.of([4, 0, 16]),
    ]),
  })
}

function randomForeign(random: Random, names: Vocabulary): Foreign {
  return compact<Foreign>({
    kind: 'foreign',
    type: random.of(FOREIGN_TYPES),
    inner: sometimes(random, 2, () => randomIp(random, names, 1)),
  })
}

/** @param depth how many packets may stand within one another */
function randomIp(random: Random, names: Vocabulary, depth: number): Ip {
  const kind = random.of(['ipv4', 'ipv6'] as const)
  const ipv4 = kind === 'ipv4'
  return compact<Ip>({
    kind,
    source: sometimes(random, 4, () => random.of(names.sources)),
    destination: random.once(4)
      ? undefined
      : random.of(random.once(5) ? names.neighbours : names.destinations),
    hops: sometimes(random, 12, () => random.of([0, 1, 2, 255])),
    fragment: sometimes(random, 12, () => ({
      offset: random.of([0, 8, 16, 40, 48, 1480, 65528]),
      more: random.once(2),
    })),
    options: sometimes(random, ipv4 ? 12 : 0x7fffffff, () =>
      several(random, 3, () => randomOption(random, names)),
    ),
    extensions: sometimes(random, ipv4 ? 0x7fffffff : 6, () =>
      several(random, 4, () => randomExtension(random, names)),
    ),
    version: sometimes(random, 60, () => random.of([0, 4, 5, 6, 15])),
    headerWords: sometimes(random, 60, () => random.of([0, 4, 5, 6, 15])),
    excess: sometimes(random, 40, () => random.of([-40, -8, 1, 8, 1000])),
    badChecksum: sometimes(random, 60, () => true as const),
    payload: randomPayload(random, names, kind, depth),
  })
}

function randomOption(random: Random, names: Vocabulary): Option {
  // Nothing, record route, timestamp, loose and strict source route, router alert, security.
  const type = random.of([1, 7, 68, 131, 137, 148, 130])
  return compact<Option>({ type, address: type < 2 ? undefined : random.of(names.destinations) })
}

function randomExtension(random: Random, names: Vocabulary): Extension {
  return compact<Extension>({
    type: random.of(EXTENSION_TYPES),
    subtype: sometimes(random, 2, () => random.of([1, 2, 4, 5, 194, 201])),
    address: sometimes(random, 3, () => random.of(names.destinations)),
  })
}

function randomPayload(random: Random, names: Vocabulary, kind: Ip['kind'], depth: number): Payload {
  const ports = () => ({
    sourcePort: sometimes(random, 2, () => random.of(SOURCE_PORTS)),
    destinationPort: sometimes(random, 2, () => random.of(PORTS)),
  })
  const choice = random.below(depth > 0 ? 20 : 16)
  if (choice < 5)
    return compact<Payload>({
      kind: 'udp',
      ...ports(),
      excess: sometimes(random, 30, () => random.of([-8, 1, 100])),
    })
  if (choice < 9)
    return compact<Payload>({ kind: 'tcp', ...ports(), flags: sometimes(random, 2, () => random.below(256)) })
  if (choice < 10)
    return compact<Payload>({
      kind: 'sctp',
      ...ports(),
      chunk: sometimes(random, 2, () => random.of([0, 2, 3, 6, 11])),
      tag: sometimes(random, 2, () => 1),
    })
  if (choice < 15) return randomIcmp(random, names, kind, depth)
  if (choice < 16) return { kind: 'plain', protocol: random.of(PLAIN_PROTOCOLS) }
  if (choice < 18) return randomIcmp(random, names, kind, depth)
  return {
    kind: 'tunnel',
    by: random.of(['ip', 'gre', 'vxlan', 'geneve']),
    inner: randomIp(random, names, depth - 1),
  }
}

function randomIcmp(random: Random, names: Vocabulary, kind: Ip['kind'], depth: number): Icmp {
  const type = random.once(6) ? undefined : random.of<number>(ICMP_TYPES[kind])
  const isError = type !== undefined && ERROR_TYPES[kind].some((one) => one === type)
  return compact<Icmp>({
    kind: 'icmp',
    type,
    code: sometimes(random, 2, () => random.below(6)),
    target: sometimes(random, 2, () => random.of(names.sources)),
    about: sometimes(random, 3, () => random.of(names.destinations)),
    options: sometimes(random, 2, () => several(random, 3, () => randomDiscoveryOption(random, names))),
    quoted: isError && depth > 0 ? randomIp(random, names, 0) : undefined,
  })
}

function randomDiscoveryOption(random: Random, names: Vocabulary): DiscoveryOption {
  const type = random.of([1, 2, 3, 5, 24, 25, 31])
  return compact<DiscoveryOption>({ type, mac: sometimes(random, 2, () => random.of(names.macs)) })
}

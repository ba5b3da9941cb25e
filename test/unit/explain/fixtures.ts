import { Catalog } from '../../../src/explain/catalog.js'
import type { Environment } from '../../../src/explain/environment.js'
import { Evaluator } from '../../../src/explain/evaluate.js'
import type { Packet } from '../../../src/explain/packet.js'
import type { ListedObject, Statement } from '../../../src/nft/index.js'
import type { Link } from '../../../src/rtnl/index.js'

/** A link with what rules can ask of it. */
export function link(index: number, name: string, more: Partial<Link> = {}): Link {
  return {
    index,
    name,
    mtu: 1500,
    up: true,
    lowerUp: true,
    state: 'up',
    flags: 1,
    group: 0,
    record: { type: 1 },
    ...more,
  }
}

export const links = {
  lo: link(1, 'lo', { record: { type: 772 } }),
  uplink: link(2, 'uplink', { kind: 'veth', group: 5 }),
  docker0: link(3, 'docker0', { kind: 'bridge' }),
}

/** A host with 192.0.2.1 and 2001:db8::1 of its own, which reaches all by its uplink. */
export const environment: Environment = {
  addressType: (address) =>
    ['192.0.2.1', '2001:db8::1', '172.17.0.1'].includes(address)
      ? 'local'
      : address === '203.0.113.99'
        ? undefined
        : 'unicast',
  deviceTowards: (address) => (address.startsWith('10.') ? null : links.uplink),
  deviceAddress: (device, family) =>
    family === 'ip6' ? '2001:db8::1' : device.name === 'docker0' ? '172.17.0.1' : '192.0.2.1',
  linkNamed: (name) => Object.values(links).find((each) => each.name === name),
}

/** A first TCP packet from 172.17.0.2 on docker0 to 192.0.2.7:80. */
export function packet(more: Partial<Packet> = {}): Packet {
  return {
    family: 'ip',
    inputDevice: links.docker0,
    source: '172.17.0.2',
    destination: '192.0.2.7',
    protocol: 6,
    sourcePort: 40000,
    destinationPort: 80,
    tcpFlags: 2,
    mark: 0,
    ...more,
  }
}

/** An evaluator of listed objects. */
export function evaluator(nftables: readonly ListedObject[]): Evaluator {
  return new Evaluator(new Catalog({ generation: 1, nftables }), environment)
}

/** One chain of family inet at a hook, with rules of the given statements. */
export function oneChain(
  rules: readonly (readonly Statement[])[],
  {
    hook = 'forward',
    sets = [],
    policy = 'drop',
  }: {
    readonly hook?: 'forward' | 'prerouting' | 'output' | 'postrouting'
    readonly sets?: readonly ListedObject[]
    readonly policy?: 'accept' | 'drop'
  } = {},
): Evaluator {
  const family = 'inet'
  return evaluator([
    { table: { family, name: 't' } },
    ...sets,
    { chain: { family, table: 't', name: 'c', type: 'filter', hook, prio: 0, policy } },
    ...rules.map(
      (expr, index): ListedObject => ({ rule: { family, table: 't', chain: 'c', handle: index + 10, expr } }),
    ),
  ])
}

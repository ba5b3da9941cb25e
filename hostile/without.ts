/**
 * The defences, each with a way to take it out of a world by hand, in the kernel: a run that does not find that it is gone is no test. A defence that
 * is not there to be taken out is an error.
 */
import { Nft, type Statement } from 'nfbridge/nft'
import { type BridgePortOptions, Rtnl } from 'nfbridge/rtnl'
import type { World } from './world.js'

export interface Defence {
  readonly name: string
  readonly about: string
  takeOut(world: World): Promise<void>
}

type Family = 'inet' | 'bridge'

const TABLE = 'nfbridge'
const ACCEPT: readonly Statement[] = [{ accept: null }]

/** Deletes the rules of a chain that a text is in: as the kernel lists them, in libnftables' JSON. */
function withoutRules(family: Family, chain: string, ...texts: readonly string[]) {
  return async ({ host }: World): Promise<void> => {
    using nft = await Nft.open({ netns: host })
    const transaction = nft.transaction()
    for (const object of (await nft.list({ family, table: TABLE })).nftables) {
      if (!('rule' in object) || object.rule.chain !== chain || object.rule.handle === undefined) continue
      const { expr, handle } = object.rule
      const text = JSON.stringify(expr)
      if (texts.every((one) => text.includes(one)))
        transaction.delete({ rule: { family, table: TABLE, chain, handle } })
    }
    if (transaction.operations.length === 0)
      throw new Error(`chain ${chain} of ${family} has no rule with ${texts.join(', ')}`)
    await transaction.commit()
  }
}

/** The rule that drops whatever none before it said anything of. */
function withoutLastDrop(family: Family, chain: string) {
  return async ({ host }: World): Promise<void> => {
    using nft = await Nft.open({ netns: host })
    const rules = (await nft.list({ family, table: TABLE })).nftables.flatMap((object) =>
      'rule' in object && object.rule.chain === chain ? [object.rule] : [],
    )
    const last = rules.at(-1)
    if (last?.handle === undefined || JSON.stringify(last.expr) !== '[{"drop":null}]')
      throw new Error(`chain ${chain} of ${family} does not end with drop`)
    await nft
      .transaction()
      .insert({ rule: { family, table: TABLE, chain, handle: last.handle, expr: ACCEPT } })
      .commit()
  }
}

/** Puts a rule in front of a chain's. */
function withFirst(family: Family, chain: string, ...expr: readonly Statement[]) {
  return async ({ host }: World): Promise<void> => {
    using nft = await Nft.open({ netns: host })
    await nft
      .transaction()
      .insert({ rule: { family, table: TABLE, chain, expr } })
      .commit()
  }
}

/** Lets everything pass that comes by a chain. */
const acceptFirst = (family: Family, chain: string, ...when: readonly Statement[]) =>
  withFirst(family, chain, ...when, ...ACCEPT)

/** Empties sets. */
function withoutElements(family: Family, ...names: readonly string[]) {
  return async ({ host }: World): Promise<void> => {
    using nft = await Nft.open({ netns: host })
    const transaction = nft.transaction()
    for (const name of names) transaction.flush({ set: { family, table: TABLE, name } })
    await transaction.commit()
  }
}

function onPorts(port: BridgePortOptions) {
  return async ({ host, stations }: World): Promise<void> => {
    const rtnl = await Rtnl.open({ netns: host })
    try {
      await rtnl.apply(
        [...stations.values()].flatMap(({ on }) =>
          on === undefined
            ? []
            : [{ kind: 'link', action: 'change', link: { device: on.port, port } } as const],
        ),
      )
    } finally {
      rtnl.close()
    }
  }
}

/** No defence of ours: without it, what a neighbour advertises changes the host, which must be found in its tables. */
async function heedAdvertisements({ host }: World): Promise<void> {
  await host.writeSysctl('net.ipv6.conf.uplink.accept_ra', '2')
}

export const defences: readonly Defence[] = [
  {
    name: 'accept-ra',
    about: 'the host’s own choice to heed no router advertisements on its uplink',
    takeOut: heedAdvertisements,
  },
  {
    name: 'senders',
    about: 'what no rule of `senders` lets pass is dropped',
    takeOut: withoutLastDrop('bridge', 'senders'),
  },
  {
    name: 'ports',
    about: 'the ports whose senders are checked',
    takeOut: withoutElements('bridge', 'ports'),
  },
  {
    name: 'router-advertisements',
    about: 'a container is nobody’s router',
    takeOut: withoutRules('bridge', 'senders', 'nd-router-advert'),
  },
  {
    name: 'neighbour-advertisements',
    about: 'a container answers for its own addresses alone',
    takeOut: withoutRules('bridge', 'senders', 'nd-neighbor-advert'),
  },
  {
    name: 'link-local-groups',
    about: 'frames to the groups of bridges meet the rules, and not the host by the port itself',
    takeOut: onPorts({ groupForwardMask: 0 }),
  },
  {
    name: 'group-frames',
    about: 'a packet for a single address in a frame to a group makes no connection',
    takeOut: withoutRules('bridge', 'onward', 'notrack'),
  },
  {
    name: 'isolated-ports',
    about: 'what an isolated network sends to the host is dropped before the host answers',
    takeOut: withoutElements('bridge', 'isolated_ports'),
  },
  {
    name: 'address-resolution',
    about: 'ARP of closed networks has nothing behind it, and goes to whom it concerns',
    takeOut: acceptFirst('bridge', 'address_resolution'),
  },
  {
    name: 'neighbour-discovery',
    about: 'neighbour discovery has nothing in it but what it is for',
    takeOut: acceptFirst('bridge', 'neighbour_discovery'),
  },
  {
    name: 'router-solicitations',
    about: 'who looks for a router has nothing in the question but its own MAC',
    // What of it is from somebody else's address is dropped all the same.
    takeOut: withFirst('bridge', 'router_solicitations', { return: null }),
  },
  {
    name: 'peers',
    about: 'peers reach no network without a way out',
    takeOut: withoutRules('inet', 'inbound', '@internal'),
  },
  {
    name: 'closed-ports',
    about: 'the ports between which only links let pass',
    takeOut: withoutElements('bridge', 'closed_ports'),
  },
  {
    name: 'same-network',
    about: 'what no link lets pass within a bridge is dropped',
    takeOut: withoutLastDrop('bridge', 'same_network'),
  },
  {
    name: 'link-answers',
    about: 'a server answers, and begins nothing',
    takeOut: acceptFirst('bridge', 'answers'),
  },
  {
    name: 'link-fragments',
    about: 'a fragment that could overwrite ports is dropped',
    takeOut: acceptFirst('bridge', 'linked', {
      match: {
        op: '!=',
        left: { '&': [{ payload: { protocol: 'ip', field: 'frag-off' } }, 0x1fff] },
        right: 0,
      },
    }),
  },
  {
    name: 'link-errors',
    about: 'an ICMP error passes from the server of a link, about that link',
    takeOut: acceptFirst('bridge', 'link_errors', {
      match: {
        op: '==',
        left: { payload: { protocol: 'icmp', field: 'type' } },
        right: 'destination-unreachable',
      },
    }),
  },
  {
    name: 'flood',
    about: 'a frame for a MAC that the bridge does not know is sent to nobody',
    takeOut: onPorts({ unicastFlood: true }),
  },
  {
    name: 'internal',
    about: 'the networks without a way out',
    takeOut: withoutElements('inet', 'internal'),
  },
  {
    name: 'internal-host',
    about: 'a network without a way out reaches the host by its own bridge’s address alone',
    takeOut: withoutRules('inet', 'input', 'to_host'),
  },
  {
    name: 'isolation',
    about: 'two networks that are isolated do not reach each other',
    takeOut: withoutRules('inet', 'other_network', '@isolated'),
  },
  {
    name: 'strict',
    about: 'a strict network reaches nothing, and nothing reaches it',
    takeOut: withoutRules('inet', 'other_network', '@strict'),
  },
  {
    name: 'inbound',
    about: 'what nothing lets in from outside is dropped',
    takeOut: withoutLastDrop('inet', 'inbound'),
  },
  {
    name: 'pools',
    about: 'nobody outside has a container’s address',
    takeOut: withoutRules('inet', 'from_elsewhere', '@pools'),
  },
  {
    name: 'peer-routes',
    about: 'a peer is believed where the way back leads to it',
    takeOut: acceptFirst('inet', 'inbound', {
      match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '@peers' },
    }),
  },
  {
    name: 'outbound-invalid',
    about: 'what belongs to no connection can’t be translated, and does not leave',
    takeOut: withoutRules('inet', 'outbound', 'invalid'),
  },
  {
    name: 'masquerade',
    about: 'who goes out has the host’s address',
    takeOut: withoutElements('inet', 'masqueraded'),
  },
  {
    name: 'forward-policy',
    about: 'what nothing allows is not forwarded',
    takeOut: acceptFirst('inet', 'forward'),
  },
]

/** Row: what a new connection through a link takes, with ever more links; and with as many linear rules. */
import { BridgeHost, type Namespace } from 'nfbridge'
import { Nft, type RuleObject } from 'nfbridge/nft'
import { networkOptions } from '../container.js'
import type { Contest, Contestant } from '../contest.js'
import { nanoseconds } from '../programs.js'
import type { Surroundings } from '../surroundings.js'
import { adding, chainName, rule, table, tableAndChain } from '../workloads.js'

/** Round trips of a round, each a connection of its own. */
const ROUND_TRIPS = 2_000
/** The same where each takes long. */
const FEW_ROUND_TRIPS = 200
/** Ports that a server exposes: a link to it is as many elements. */
const PORTS = 10_000
const FIRST_PORT = 10_000
/** Rules that share a commit, so that they pass the buffer that an unprivileged process may have. */
const RULES_A_COMMIT = 10_000

export async function withinContest(surroundings: Surroundings): Promise<Contest> {
  const floorName = 'floor: nfbridge, no link'
  const notes = [
    'a round trip is one UDP datagram and its answer, from a source port of its own: its first packet meets all rules',
    'linear rules: `ip saddr A ip daddr B tcp dport P counter accept`, none of which matches; established ones pass before',
  ]
  const linear = async (count: number): Promise<Contestant[]> => {
    const name = `${count.toLocaleString('en')} linear rules`
    return surroundings.attempt(name, notes, () => linearRules(surroundings, name, count))
  }
  return {
    id: 'packets',
    title: 'round trip of a new connection between two containers',
    floor: floorName,
    contestants: [
      await unlinked(surroundings, floorName, true),
      await unlinked(surroundings, 'a bridge without rules', false),
      await links(surroundings, 1, 1),
      await links(surroundings, PORTS, 1),
      await links(surroundings, PORTS, 10),
      ...(await linear(PORTS)),
      ...(await linear(10 * PORTS)),
    ],
    notes,
  }
}

/** Containers that may speak with each other, by our rules or without any. */
async function unlinked(surroundings: Surroundings, name: string, firewall: boolean): Promise<Contestant> {
  const host = await open(surroundings, await surroundings.namespace(), firewall)
  const network = await host.createNetwork({ ...networkOptions, icc: true })
  const [client, server] = [await surroundings.namespace(), await surroundings.namespace()]
  await network.attach({ netns: client })
  const { address } = await network.attach({ netns: server })
  return roundTrips(surroundings, name, server, client, address)
}

/** @param clients containers that are linked to a server with so many ports; one of them is measured */
async function links(surroundings: Surroundings, ports: number, clients: number): Promise<Contestant> {
  const host = await open(surroundings, await surroundings.namespace(), true)
  const network = await host.createNetwork(networkOptions)
  const [server, ...others] = await surroundings.namespaces(1 + clients)
  const client = others.at(-1)
  if (!server || !client) throw new Error('no namespaces')
  const expose = Array.from({ length: ports }, (_, number) => `${FIRST_PORT + number}/udp`)
  const { address } = await network.attach({ netns: server, name: 'server', expose })
  for (const netns of others) await network.attach({ netns, links: ['server'] })
  const count = ports * clients
  const name = `nfbridge: ${count.toLocaleString('en')} link element${count === 1 ? '' : 's'}`
  return roundTrips(surroundings, name, server, client, address)
}

async function linearRules(surroundings: Surroundings, name: string, count: number): Promise<Contestant> {
  const netns = await surroundings.namespace()
  const host = await open(surroundings, netns, true)
  const network = await host.createNetwork({ ...networkOptions, icc: true })
  const [client, server] = [await surroundings.namespace(), await surroundings.namespace()]
  await network.attach({ netns: client })
  const { address } = await network.attach({ netns: server })
  const nft = await Nft.open({ netns })
  surroundings.closeLater(() => nft.close())
  await adding(nft, [...tableAndChain, established]).commit()
  for (let done = 0; done < count; done += RULES_A_COMMIT) {
    await adding(
      nft,
      Array.from({ length: RULES_A_COMMIT }, (_, number) => rule(done + number)),
    ).commit()
  }
  return roundTrips(surroundings, name, server, client, address, FEW_ROUND_TRIPS)
}

const established: RuleObject = {
  rule: {
    family: table.family,
    table: table.name,
    chain: chainName,
    expr: [{ match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established'] } }, { accept: null }],
  },
}

async function open(surroundings: Surroundings, netns: Namespace, firewall: boolean): Promise<BridgeHost> {
  // A source port comes again when the connection that it was used for is forgotten.
  if (firewall) await netns.writeSysctl('net/netfilter/nf_conntrack_udp_timeout', '1')
  const host = await BridgeHost.open({ netns, firewall })
  surroundings.closeLater(() => host.destroy())
  return host
}

/** Source ports go on from round to round. */
const FIRST_SOURCE = 20_000
const LAST_SOURCE = 60_000

function roundTrips(
  { programs }: Surroundings,
  name: string,
  server: Namespace,
  client: Namespace,
  address: string,
  count = ROUND_TRIPS,
): Contestant {
  let source = FIRST_SOURCE
  return {
    name,
    processes: 0,
    run: async () => {
      const words = [address, FIRST_PORT, count, source].map(String)
      const taken = await nanoseconds(programs.echo, ['flows', server.path(), client.path(), ...words])
      source = source + 2 * count <= LAST_SOURCE ? source + count : FIRST_SOURCE
      return taken.map((each) => each / count)
    },
  }
}

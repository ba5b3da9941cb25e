/** Row: one container attached to a bridge: its veth pair, address, route, and what the firewall must know of it. */
import type { Namespace } from 'nfbridge'
import { BridgeHost } from 'nfbridge'
import { addContainer, networkOptions } from '../container.js'
import { type Contest, type Contestant, time } from '../contest.js'
import { recordFloor } from '../floor.js'
import { type Command, launch, type Restore } from '../peers.js'
import type { Surroundings } from '../surroundings.js'

const floorName = 'floor: C, the same bytes'

export async function attachContest(surroundings: Surroundings): Promise<Contest> {
  const { programs, folder, peers } = surroundings
  const container = await surroundings.namespace()
  const floor = await recordFloor(programs, folder, 'attach', 1, await surroundings.namespace(), [container])
  await floor.prepare()
  const notes = [
    `floor sends: ${floor.description}`,
    `nfbridge attaches ${CONTAINERS_A_ROUND} containers a round, one after the other; its value is their median`,
    'nfbridge returns when the interfaces carry packets, which it asks the kernel for; the others do not wait',
    'ip -batch: one process on the host, one in the container; else a process for each command, as scripts do it',
  ]
  return {
    id: 'attach',
    title: 'attach of one container',
    floor: floorName,
    contestants: [
      { name: floorName, processes: 0, run: () => floor.replay(1) },
      { name: 'C, what nfbridge asks as well', processes: 0, run: () => floor.replayWithQuestions(1) },
      await ours(surroundings),
      ...(peers.ip ? await withIp(surroundings, notes) : []),
    ],
    notes,
  }
}

/** Containers that are attached one after the other in a round: one alone would be timed as the first after a pause. */
const CONTAINERS_A_ROUND = 8
/** Rounds before the first: who starts containers by the thousand has warm code, and so has the floor's C. */
const WARM_UP_ROUNDS = 25

async function ours(surroundings: Surroundings): Promise<Contestant> {
  const containers = await Promise.all(
    Array.from({ length: CONTAINERS_A_ROUND }, () => surroundings.namespace()),
  )
  const host = await BridgeHost.open({ netns: await surroundings.namespace() })
  surroundings.closeLater(() => host.destroy())
  const network = await host.createNetwork(networkOptions)
  const run = async (): Promise<number[]> => {
    const taken: number[] = []
    for (const container of containers) taken.push(await time(() => addContainer(network, container)))
    await network.detachAll()
    return taken
  }
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) await run()
  return { name: 'nfbridge: attach', processes: 0, run }
}

const hostLink = 'vethbench'
const mac = '02:42:ac:11:00:02'
const address = '172.17.0.2'

/** What a script does on the host and in the container; the words that follow `ip`. */
function commands(containerPath: string): { readonly host: string[]; readonly container: string[] } {
  return {
    host: [
      `link add ${hostLink} type veth peer name eth0 address ${mac} netns ${containerPath}`,
      `link set ${hostLink} master docker0 up`,
    ],
    container: ['link set eth0 up', `address add ${address}/16 dev eth0`, 'route add default via 172.17.0.1'],
  }
}

const toWords = (text: string): string[] => text.split(' ')

async function withIp(surroundings: Surroundings, notes: string[]): Promise<Contestant[]> {
  const found: Contestant[] = []
  const add = async (name: string, batch: boolean, firewall: Firewall): Promise<void> => {
    found.push(
      ...(await surroundings.attempt(name, notes, () => script(surroundings, name, batch, firewall))),
    )
  }
  if (surroundings.peers.nft) {
    const firewall = nftables(surroundings)
    await add('ip -batch + nft', true, firewall)
    await add('ip + nft', false, firewall)
  }
  for (const restore of surroundings.peers.restores) {
    await add(`ip + ${restore.name}`, false, iptables(surroundings, restore))
  }
  return found
}

interface Firewall {
  readonly prepare: readonly Command[]
  readonly add: Command
  readonly remove: Command
}

function nftables(surroundings: Surroundings): Firewall {
  const prepare = `table inet bench {
  set exposed { type ipv4_addr . inet_proto . inet_service; }
  chain forward { type filter hook forward priority 0; policy accept; ip daddr . meta l4proto . th dport @exposed accept; }
}
table bridge bench {
  set ports { type ifname; }
  set senders { type ifname . ether_addr . ipv4_addr; }
}
`
  const change = (verb: string): string =>
    `${verb} element bridge bench ports { ${hostLink} }
${verb} element bridge bench senders { ${hostLink} . ${mac} . ${address} }
`
  return {
    prepare: [['nft', '-f', surroundings.file('attach-prepare.nft', prepare)]],
    add: ['nft', '-f', surroundings.file('attach-add.nft', change('add'))],
    remove: ['nft', '-f', surroundings.file('attach-remove.nft', change('delete'))],
  }
}

/** What iptables can say of a container's MAC and address: one rule. */
function iptables(surroundings: Surroundings, restore: Restore): Firewall {
  const rule = `FORWARD -s ${address}/32 -i docker0 -m mac --mac-source ${mac} -j ACCEPT`
  const file = (name: string, line: string): string => surroundings.file(name, `*filter\n${line}\nCOMMIT\n`)
  return {
    prepare: [],
    add: [restore.program, '-n', file('attach-add.iptables', `-A ${rule}`)],
    remove: [restore.program, '-n', file('attach-remove.iptables', `-D ${rule}`)],
  }
}

async function script(
  surroundings: Surroundings,
  name: string,
  batch: boolean,
  firewall: Firewall,
): Promise<Contestant> {
  const { programs } = surroundings
  const [host, container]: Namespace[] = [await surroundings.namespace(), await surroundings.namespace()]
  if (host === undefined || container === undefined) throw new Error('no namespaces')
  const { host: onHost, container: inContainer } = commands(container.path())
  const prepare: readonly Command[] = [
    ['ip', ...toWords('link add docker0 type bridge')],
    ['ip', ...toWords('address add 172.17.0.1/16 dev docker0')],
    ['ip', ...toWords('link set docker0 up')],
    ...firewall.prepare,
  ]
  await launch(
    programs,
    prepare.map((command) => [host, command]),
  )
  const ip = (namespace: Namespace, lines: readonly string[]): [Namespace, Command][] => {
    if (!batch) return lines.map((line) => [namespace, ['ip', ...toWords(line)]])
    return [
      [namespace, ['ip', '-batch', surroundings.file(`attach.${namespace.inode}`, `${lines.join('\n')}\n`)]],
    ]
  }
  const attach: [Namespace, Command][] = [
    ...ip(host, onHost),
    ...ip(container, inContainer),
    [host, firewall.add],
  ]
  return {
    name,
    processes: attach.length,
    run: async () => {
      const taken = await launch(programs, attach)
      await launch(programs, [
        [host, firewall.remove],
        [host, ['ip', 'link', 'delete', hostLink]],
      ])
      return [taken]
    },
  }
}

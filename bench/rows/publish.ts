/** Row: the ports of one container published in one call; by scripts and by Docker, some rules and processes for each. */
import { BridgeHost } from 'nfbridge'
import { addContainer, networkOptions, publications } from '../container.js'
import { type Contest, type Contestant, time } from '../contest.js'
import { recordFloor } from '../floor.js'
import { type Command, launch, type Restore } from '../peers.js'
import type { Surroundings } from '../surroundings.js'

const PORTS = 32
const address = '172.17.0.2'

export async function publishContest(surroundings: Surroundings): Promise<Contest> {
  const { programs, folder, peers } = surroundings
  const container = await surroundings.namespace()
  const host = await surroundings.namespace()
  const floor = await recordFloor(programs, folder, 'publish', PORTS, host, [container])
  await floor.prepare()
  const notes = [
    `floor sends: ${floor.description}`,
    'nfbridge also binds each port of the host, in both families, so that no other program takes it',
    'iptables: the rules that Docker makes for a port (DNAT, ACCEPT, MASQUERADE), a process for each; Docker also starts a proxy',
    'Docker 29 was seen to need 22.8 s for 32 ports (moby issue 53466)',
  ]
  const floorName = 'floor: C, the same bytes'
  const found: Contestant[] = []
  if (peers.nft) {
    found.push(...(await surroundings.attempt('nft -f', notes, () => nft(surroundings, 'one process'))))
    found.push(...(await surroundings.attempt('nft', notes, () => nft(surroundings, 'each'))))
  }
  for (const restore of peers.restores) {
    found.push(...(await surroundings.attempt(restore.name, notes, () => iptables(surroundings, restore))))
  }
  return {
    id: 'publish',
    title: `${PORTS} ports of one container published in one call`,
    floor: floorName,
    contestants: [
      { name: floorName, processes: 0, run: () => floor.replay(1) },
      await ours(surroundings),
      ...found,
    ],
    notes,
  }
}

async function ours(surroundings: Surroundings): Promise<Contestant> {
  const host = await BridgeHost.open({ netns: await surroundings.namespace() })
  surroundings.closeLater(() => host.destroy())
  const network = await host.createNetwork(networkOptions)
  const container = await addContainer(network, await surroundings.namespace())
  const ports = publications(PORTS)
  const run = async (): Promise<number[]> => {
    const taken = await time(() => container.publish(...ports))
    await container.unpublish(...ports)
    return [taken]
  }
  for (let round = 0; round < 20; round += 1) await run() // who publishes by the hundred has warm code
  return { name: 'nfbridge: publish', processes: 0, run }
}

const numbers: readonly number[] = Array.from({ length: PORTS }, (_, number) => 8000 + number)

/** The same elements as ours, in one `nft -f` or by a process for each port. */
async function nft(surroundings: Surroundings, how: 'one process' | 'each'): Promise<Contestant> {
  const { programs } = surroundings
  const namespace = await surroundings.namespace()
  const prepare = `table inet bench {
  set published { type ipv4_addr . inet_proto . inet_service; }
  map publish { type inet_proto . inet_service : ipv4_addr . inet_service; }
  chain prerouting { type nat hook prerouting priority -100; dnat ip to meta l4proto . th dport map @publish; }
  chain forward { type filter hook forward priority 0; ip daddr . meta l4proto . th dport @published accept; }
}
`
  const lines = (verb: string, port: number): string =>
    `${verb} element inet bench published { ${address} . tcp . ${port} }\n` +
    `${verb} element inet bench publish { tcp . ${port} : ${address} . ${port} }\n`
  const words = (file: string): Command => ['nft', '-f', file]
  const file = (verb: string, ports: readonly number[]): string =>
    surroundings.file(
      `publish-${verb}-${ports.length}-${ports[0]}.nft`,
      ports.map((port) => lines(verb, port)).join(''),
    )
  await launch(programs, [[namespace, words(surroundings.file('publish-prepare.nft', prepare))]])
  const batches = how === 'each' ? numbers.map((port) => [port]) : [numbers]
  const add = batches.map((ports) => [namespace, words(file('add', ports))] as const)
  const undo = [namespace, words(file('delete', numbers))] as const
  return {
    name: how === 'each' ? 'nft, for each port' : 'nft -f',
    processes: add.length,
    run: async () => {
      const taken = await launch(programs, add)
      await launch(programs, [undo])
      return [taken]
    },
  }
}

async function iptables(surroundings: Surroundings, { program, name }: Restore): Promise<Contestant> {
  const { programs } = surroundings
  const namespace = await surroundings.namespace()
  const command = program.replace(/-restore$/, '')
  const run = (text: string): [typeof namespace, Command] => [namespace, [command, '-w', ...text.split(' ')]]
  await launch(programs, ['-N DOCKER', '-t nat -N DOCKER', '-t nat -A PREROUTING -j DOCKER'].map(run))
  const add = numbers.flatMap((port) =>
    [
      `-t nat -A DOCKER ! -i docker0 -p tcp --dport ${port} -j DNAT --to-destination ${address}:${port}`,
      `-A DOCKER ! -i docker0 -o docker0 -p tcp -d ${address} --dport ${port} -j ACCEPT`,
      `-t nat -A POSTROUTING -s ${address} -d ${address} -p tcp --dport ${port} -j MASQUERADE`,
    ].map(run),
  )
  const undo = ['-F DOCKER', '-t nat -F DOCKER', '-t nat -F POSTROUTING'].map(run)
  return {
    name: name.replace('-restore', ''),
    processes: add.length,
    run: async () => {
      const taken = await launch(programs, add)
      await launch(programs, undo)
      return [taken]
    },
  }
}

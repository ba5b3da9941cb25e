/** Does what the steps of a stage say. */
import { NfbridgeError } from 'nfbridge'
import { Nft } from 'nfbridge/nft'
import { type Link, Rtnl } from 'nfbridge/rtnl'
import type { Machine } from '../lab/machine.js'
import { addAddress, addRoute } from '../lab/wiring.js'
import type { Step } from './scenario.js'
import { addObjects, type HostPlace, type World } from './world.js'

/** Runs a step. With `fails`, returns the code that it was refused with; undefined when it was not. */
export async function runStep(world: World, step: Step): Promise<string | undefined> {
  try {
    await perform(world, step)
    return undefined
  } catch (error) {
    if (step.fails !== undefined && error instanceof NfbridgeError) return error.code
    const { message } = error instanceof Error ? error : { message: String(error) }
    throw new Error(`${stepText(step)}: ${message}`, { cause: error })
  }
}

async function perform(world: World, step: Step): Promise<void> {
  const place = 'container' in step ? world.hostOf(step.container) : world.host(step.on)
  const { bridgeHost, machine } = place
  const container = (): NonNullable<ReturnType<typeof bridgeHost.container>> => {
    const found = 'container' in step ? bridgeHost.container(step.container) : undefined
    if (found) return found
    throw new Error(`${stepText(step)}: there is no such container`)
  }
  switch (step.do) {
    case 'link':
      await container().link(step.link)
      return
    case 'unlink':
      return container().unlink(step.link)
    case 'publish':
      await container().publish(...step.ports)
      return
    case 'unpublish':
      return container().unpublish(...step.ports)
    case 'expose':
      return container().expose(...step.ports)
    case 'unexpose':
      return container().unexpose(...step.ports)
    case 'icc':
      return networkOf(place, step.network).update({ icc: step.icc })
    case 'attach': {
      const setup = place.setup.containers?.[step.container]
      return world.attach(step.container, { ...setup, ...step.options })
    }
    case 'detach':
      return container().detach()
    case 'stop':
      return container().stop()
    case 'start':
      return container().start({ netns: world.machine(step.container).namespace })
    case 'connect':
      await container().connect(step.network, {
        ...step.options,
        netns: world.machine(step.container).namespace,
      })
      return
    case 'disconnect':
      return container().disconnect(step.network)
    case 'createNetwork':
      await bridgeHost.createNetwork(step.network)
      return
    case 'destroyNetwork':
      return networkOf(place, step.network).destroy()
    case 'addPeer':
      await bridgeHost.addPeer(step.peer)
      return
    case 'removePeer':
      return bridgeHost.removePeer(step.subnet)
    case 'hostContainer':
      await bridgeHost.addHostContainer({ name: step.name })
      return
    case 'reopen':
      await bridgeHost.close()
      place.bridgeHost = await world.openHost(machine, place.setup, place.state, step.options)
      return
    case 'reboot':
      await bridgeHost.close()
      await forgetEverything(place)
      place.bridgeHost = await world.openHost(machine, place.setup, place.state)
      return
    case 'userRule':
      return bridgeHost.userRules[step.chain].insert(0, step.rule)
    case 'flushUserRules':
      return bridgeHost.userRules[step.chain].flush()
    case 'foreign':
      return addObjects(machine, step.add)
    case 'removeTable': {
      using nft = await Nft.open({ netns: machine.namespace })
      await nft
        .transaction()
        .delete({ table: { family: step.family, name: step.name } })
        .commit()
      return
    }
    case 'flushRuleset': {
      using nft = await Nft.open({ netns: machine.namespace })
      await nft.transaction().flush({ ruleset: null }).commit()
      return
    }
    case 'sysctl':
      return machine.namespace.writeSysctl(step.name, step.value)
    case 'takeAddress':
      return addAddress(world.machine(step.container), 'eth0', step.address)
    case 'forge':
      return forge(world, step.container, step.address)
    case 'killNamespace':
      return world.kill(step.container)
    case 'listen':
      return listen(world, step.port, step.taken ?? false)
    case 'routeLoopback':
      return routeLoopback(world, step.machine, step.via)
    case 'throughGateway':
      return throughGateway(world, step.container, step.to)
    case 'addRoute': {
      const change = () => addRoute(world.machine(step.machine), { destination: step.to, gateway: step.via })
      return step.machine === 'host' || step.machine === 'host2'
        ? world.byOthers(step.machine, change)
        : change()
    }
  }
}

/** Another address; all of the container's routes send from it, to neighbours whose MACs it knows without asking. */
async function forge(world: World, container: string, address: string): Promise<void> {
  const machine = world.machine(container)
  await addAddress(machine, 'eth0', address)
  const [source = ''] = address.split('/')
  const neighbours = await neighboursOf(world, container)
  const rtnl = await Rtnl.open({ netns: machine.namespace })
  try {
    const { index } = await rtnl.links.get('eth0')
    for (const { destination, gateway, metric, device, scope } of await rtnl.routes.list({ family: 4 })) {
      if (device !== index) continue
      const optional = { ...(gateway && { gateway }), ...(metric !== undefined && { metric }) }
      await rtnl.routes.replace({ destination, device, scope, ...optional, source })
    }
    for (const neighbour of neighbours) await rtnl.neighbours.replace({ device: 'eth0', ...neighbour })
  } finally {
    rtnl.close()
  }
}

/** The IPv4 addresses on a container's first network, the gateway's among them, with their MACs. */
async function neighboursOf(world: World, container: string): Promise<{ address: string; mac: string }[]> {
  const { bridgeHost, machine } = world.hostOf(container)
  const name = bridgeHost.container(container)?.network ?? ''
  const network = bridgeHost.network(name)
  const bridge = await linkOf(machine, name)
  return [
    ...(network?.gateways ?? []).flatMap((address) =>
      bridge.mac === undefined || address.includes(':') ? [] : [{ address, mac: bridge.mac.toString() }],
    ),
    ...(network?.containers ?? []).flatMap((other) => {
      const { ipv4, mac } = other.addressOn(name) ?? {}
      return other.name === container || ipv4 === undefined || mac === undefined
        ? []
        : [{ address: ipv4, mac }]
    }),
  ]
}

/** For good: a redirect of the host's would change it. */
async function throughGateway(world: World, container: string, to: string): Promise<void> {
  const { bridgeHost } = world.hostOf(container)
  const name = bridgeHost.container(container)?.network ?? ''
  const machine = world.machine(container)
  for (const setting of ['ipv4.conf.all', 'ipv4.conf.eth0', 'ipv6.conf.eth0'])
    await machine.namespace.writeSysctl(`net.${setting}.accept_redirects`, '0')
  for (const destination of bridgeHost.container(to)?.addressOn(name)?.addresses ?? []) {
    const isSix = destination.includes(':')
    const gateway = bridgeHost.network(name)?.gateways.find((each) => each.includes(':') === isSix)
    if (gateway === undefined) throw new Error(`the network ${name} has no gateway for ${destination}`)
    await addRoute(machine, { destination: `${destination}/${isSix ? 128 : 32}`, gateway })
  }
}

async function linkOf({ namespace }: Machine, name: string): Promise<Link> {
  const rtnl = await Rtnl.open({ netns: namespace })
  try {
    return await rtnl.links.get(name)
  } finally {
    rtnl.close()
  }
}

async function routeLoopback(world: World, name: string, gateway: string): Promise<void> {
  const { namespace } = world.machine(name)
  await namespace.writeSysctl('net.ipv4.conf.all.route_localnet', '1')
  const rtnl = await Rtnl.open({ netns: namespace })
  try {
    for (const { destination, device, scope, type, source } of await rtnl.routes.list({
      family: 4,
      table: 'local',
    })) {
      if (!destination.toString().startsWith('127.') || device === undefined) continue
      await rtnl.routes.delete({
        destination,
        device,
        scope,
        type,
        table: 'local',
        ...(source && { source }),
      })
    }
    await rtnl.routes.add({ destination: '127.0.0.0/8', gateway })
  } finally {
    rtnl.close()
  }
}

async function listen(world: World, port: string, taken: boolean): Promise<void> {
  const [number, protocol] = port.split('/')
  const { machine } = world.host()
  const serve = protocol === 'udp' ? machine.serveUdp : machine.serveTcp
  const code = await serve.call(machine, Number(number)).then(
    () => 'bound',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  )
  const expected = taken ? 'EADDRINUSE' : 'bound'
  if (code !== expected) throw new Error(`listening on ${port}: ${code}, not ${expected}`)
}

function networkOf({ bridgeHost }: HostPlace, name: string) {
  const network = bridgeHost.network(name)
  if (network) return network
  throw new Error(`there is no network ${name}`)
}

/** What a reboot leaves of a host: its own interfaces, and no setting or rule that was made since. */
async function forgetEverything({ machine }: HostPlace): Promise<void> {
  const { namespace } = machine
  using nft = await Nft.open({ netns: namespace })
  await nft.transaction().flush({ ruleset: null }).commit()
  const rtnl = await Rtnl.open({ netns: namespace })
  try {
    for (const { name, kind } of await rtnl.links.list()) {
      if (kind === 'bridge') await rtnl.links.delete({ device: name })
    }
    for (const { name } of await rtnl.links.list()) {
      if (!['lo', 'uplink', 'side', 'between'].includes(name)) await rtnl.links.delete({ device: name })
    }
  } finally {
    rtnl.close()
  }
  await namespace.writeSysctl('net.ipv4.ip_forward', '0')
  await namespace.writeSysctl('net.ipv6.conf.all.forwarding', '0')
}

/** A step as one reads it: `link app web:db`. */
export function stepText({ do: verb, ...step }: Step): string {
  return [
    verb,
    ...Object.values(step).map((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
  ].join(' ')
}

/** Facts besides packets: what the objects of nfbridge and the kernel say. */
import { Nft, toText } from 'nfbridge/nft'
import { Rtnl } from 'nfbridge/rtnl'
import { answerLimit } from '../lab/machine.js'
import { containerEndpoints } from './facts.js'
import type { Check } from './scenario.js'
import type { World } from './world.js'

export interface CheckedFact {
  readonly what: string
  readonly expected: string
  readonly got: string
}

export async function checkFact(world: World, check: Check): Promise<CheckedFact> {
  switch (check.check) {
    case 'sysctl': {
      const { machine } = world.host(check.host)
      return { what: check.name, expected: check.is, got: await machine.namespace.readSysctl(check.name) }
    }
    case 'hosts': {
      const expected = check.lines.map((line) => withIds(world, line)).join('\n')
      const got = containerOf(world, check.container)
        .hosts.map(({ text }) => text.replaceAll('\t', ' '))
        .join('\n')
      return { what: `hosts of ${check.container}`, expected, got }
    }
    case 'variables': {
      const has = Object.entries(check.has)
      const variables: Readonly<Record<string, string>> = containerOf(world, check.container).linkVariables
      const got = has.map(([name]) => `${name}=${variables[name] ?? '(none)'}`).join('\n')
      return {
        what: `variables of ${check.container}`,
        expected: has.map(([name, value]) => `${name}=${value}`).join('\n'),
        got,
      }
    }
    case 'address': {
      const { bridgeHost } = world.hostOf(check.container)
      const addresses = containerEndpoints(bridgeHost, check.container)
        .filter(({ network }) => check.network === undefined || network === check.network)
        .flatMap((endpoint) => endpoint.addresses)
      const got = addresses.includes(check.is) ? check.is : addresses.join(', ')
      return { what: `address of ${check.container}`, expected: check.is, got }
    }
    case 'mtu': {
      const device = check.interface ?? 'eth0'
      const link = await inside(world, check.container, (rtnl) => rtnl.links.get(device))
      return { what: `MTU of ${check.container}`, expected: String(check.is), got: String(link.mtu) }
    }
    case 'defaultRoute': {
      const got = await inside(world, check.container, async (rtnl) => {
        const [best] = (await rtnl.routes.list({ family: 4 }))
          .filter(({ destination }) => destination.toString() === '0.0.0.0/0')
          .toSorted((one, other) => (one.metric ?? 0) - (other.metric ?? 0))
        return best?.device === undefined ? 'none' : (await rtnl.links.get(best.device)).name
      })
      return { what: `default route of ${check.container}`, expected: check.interface, got }
    }
    case 'linkLocal': {
      const { from, to, port } = check
      const address = await inside(world, to, linkLocalAddress)
      const { outcome } = await world.machine(from).probeTcp(`${address}%eth0`, port, {
        timeoutMs: answerLimit(check.is === 'reached'),
      })
      const got = outcome === 'timeout' ? 'blocked' : outcome
      return { what: `${from} -> ${to} ${port}/tcp by ${address}`, expected: check.is, got }
    }
    case 'lost': {
      const got = world
        .host()
        .bridgeHost.lost.map(({ name }) => name)
        .toSorted()
      return {
        what: 'lost containers',
        expected: check.containers.toSorted().join(', '),
        got: got.join(', '),
      }
    }
    case 'notInRules': {
      using nft = await Nft.open({ netns: world.host().machine.namespace })
      const text = toText((await nft.list()).nftables)
      const named = text.split(/[\s,]+/).includes(check.address)
      return { what: `${check.address} in the rules`, expected: 'no', got: named ? 'yes' : 'no' }
    }
  }
}

async function linkLocalAddress(rtnl: Rtnl): Promise<string> {
  const addresses = await rtnl.addresses.list({ device: 'eth0', family: 6 })
  const found = addresses.find(({ scope }) => scope === 'link')
  return found?.address.address.toString() ?? 'none'
}

async function inside<T>(world: World, container: string, work: (rtnl: Rtnl) => Promise<T>): Promise<T> {
  const rtnl = await Rtnl.open({ netns: world.machine(container).namespace })
  try {
    return await work(rtnl)
  } finally {
    rtnl.close()
  }
}

function containerOf(world: World, name: string) {
  const container = world.hostOf(name).bridgeHost.container(name)
  if (container) return container
  throw new Error(`there is no container ${name}`)
}

function withIds(world: World, text: string): string {
  return text.replace(/<id:([^>]+)>/g, (_, name: string) => containerOf(world, name).shortId)
}

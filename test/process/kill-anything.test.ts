import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { BridgeHost, type Container, type Namespace } from '../../src/index.js'
import { cleanUp, createMachines, expectReached } from '../kernel/network/setting.js'
import { filesOf, stateOf } from '../kernel/network/state.js'
import { bridgeJson, ip, ipJson, type JsonObject, nft, runIn } from '../support/tools.js'

const PROGRAM = fileURLToPath(new URL('./programs/random-operations.mjs', import.meta.url))
const ROUNDS = 24

it('a process that is killed at any moment leaves what the next open makes whole', async () => {
  const names = ['c0', 'c1', 'c2', 'c3']
  const { host, outside, machines } = await createMachines('server', 'client', ...names)
  const [server, client] = [machines.get('server'), machines.get('client')]
  if (!server || !client) throw new Error('two machines')
  const places = names.flatMap((name) => machines.get(name)?.namespace ?? [])
  const folder = mkdtempSync(join(tmpdir(), 'nfbridge-kill-'))
  cleanUp(async () => rmSync(folder, { recursive: true, force: true }))
  const [state, hosts] = [join(folder, 'state'), join(folder, 'hosts')]
  mkdirSync(hosts)
  const before = await stateOf(host.namespace)

  const first = await BridgeHost.open({ netns: host.namespace, state })
  const network = await first.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', icc: false })
  await network.attach({
    name: 'server',
    netns: server.namespace.path(),
    expose: [80],
    publish: ['9999:80'],
  })
  await network.attach({ name: 'client', netns: client.namespace.path(), links: ['server'] })
  await first.close()
  await server.serveTcp(80)
  const linked = await client.holdTcp('172.17.0.2', 80)
  const published = await outside.holdTcp('203.0.113.1', 9999)

  for (let round = 0; round < ROUNDS; round += 1) {
    await runAndKill(
      [state, host.namespace.path(), hosts, String(round), ...places.map((each) => each.path())],
      round,
    )
    const adopted = await BridgeHost.open({ netns: host.namespace, state })
    try {
      expect(await linked.send(`round ${round}`), `round ${round}`).toBe('echo')
      expect(await published.send(`round ${round}`), `round ${round}`).toBe('echo')
      await expectWhole(adopted, host.namespace, places, { state, hosts })
      if (round === ROUNDS - 1) {
        await expectReached(client, '172.17.0.2', 80, '172.17.0.3')
        await adopted.destroy()
      }
    } finally {
      await adopted.close()
    }
  }
  expect(await stateOf(host.namespace)).toBe(before)
  expect(filesOf(state).filter((file) => !file.startsWith('/host/'))).toEqual([])
})

async function runAndKill(args: readonly string[], round: number): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  try {
    await Promise.race([once(child.stdout, 'data'), ended])
    await setTimeout(20 + ((round * 67) % 400))
    expect(child.exitCode, 'it ended before it was killed').toBeNull()
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

interface Endpoint {
  readonly container: Container
  readonly hostInterface: string
  readonly bridge: string
  readonly addresses: readonly string[]
  readonly mac: string
  readonly index: number
  readonly limited: { readonly ingress: boolean; readonly egress: boolean }
}

/** Everything that is there is something's that is known, and everything that is known is there. */
async function expectWhole(
  adopted: BridgeHost,
  host: Namespace,
  places: readonly Namespace[],
  folders: { readonly state: string; readonly hosts: string },
): Promise<void> {
  const endpoints = endpointsOf(adopted, folders.state)
  const links = await ipJson(host, 'link', 'show')
  const named = (kind: string): unknown[] =>
    links.filter((link) => kindOf(link) === kind && link.ifname !== 'uplink').map(({ ifname }) => ifname)
  expect(named('veth').sort()).toEqual(endpoints.map(({ hostInterface }) => hostInterface).sort())
  const limited = (direction: 'ingress' | 'egress'): Endpoint[] =>
    endpoints.filter((endpoint) => endpoint.limited[direction])
  const ifbs = limited('egress').map(({ hostInterface }) => hostInterface.replace('veth', 'ifb'))
  expect(named('ifb').sort()).toEqual(ifbs.sort())
  expect(named('bridge').sort()).toEqual(adopted.networks.flatMap(({ bridges }) => bridges).sort())
  for (const { bridge, hostInterface } of endpoints)
    expect(links.find(({ ifname }) => ifname === hostInterface)).toMatchObject({ master: bridge })

  const qdiscs = (await runIn(host, 'tc', ['qdisc', 'show'])).split('\n')
  const devices = (kind: string): string[] =>
    qdiscs.flatMap((line) => new RegExp(`^qdisc ${kind} .* dev (\\S+)`).exec(line)?.[1] ?? []).sort()
  expect(devices('tbf')).toEqual(
    [...limited('ingress').map(({ hostInterface }) => hostInterface), ...ifbs].sort(),
  )
  expect(devices('ingress')).toEqual(
    limited('egress')
      .map(({ hostInterface }) => hostInterface)
      .sort(),
  )

  const addresses = endpoints.flatMap((endpoint) =>
    endpoint.addresses.map((address) => `${address} dev ${endpoint.bridge}`),
  )
  const neighbours = (await ip(host, 'neighbour', 'show', 'nud', 'permanent')).match(/^\S+ dev \S+/gm) ?? []
  expect([...neighbours].sort()).toEqual(addresses.sort())
  const entries = (await bridgeJson(host, 'fdb', 'show')).filter((entry) => entry.state === 'static')
  expect(entries.map(({ mac, ifname }) => `${mac} ${ifname}`).sort()).toEqual(
    endpoints.map(({ mac, hostInterface }) => `${mac} ${hostInterface}`).sort(),
  )
  const gateways = (await ip(host, '-o', 'address', 'show', 'scope', 'global'))
    .split('\n')
    .flatMap((line) => (line.includes('uplink') ? [] : (/inet6? ([^/]+)/.exec(line)?.[1] ?? [])))
  expect(gateways.sort()).toEqual(adopted.networks.flatMap((each) => each.gateways).sort())
  const routes = (await ip(host, '-4', 'route', 'show')).match(/^172\.3\d\S+/gm) ?? []
  expect([...routes].sort()).toEqual(adopted.peers.map(({ subnet }) => subnet).sort())

  const rules = await nft(host, 'list', 'ruleset')
  const known = new Set([
    ...endpoints.flatMap((endpoint) => endpoint.addresses),
    ...adopted.networks.flatMap((each) => [
      ...each.gateways,
      ...each.subnets.map((text) => text.split('/')[0]),
    ]),
  ])
  for (const address of rules.match(/\b(172\.17|10\.[12])\.\d+\.\d+|fd00:2::[0-9a-f:]*/g) ?? [])
    expect(known).toContain(address)
  const interfaces = new Set([...endpoints.map(({ hostInterface }) => hostInterface)])
  for (const name of rules.match(/veth\w+/g) ?? []) expect(interfaces).toContain(name)

  for (const [index, place] of places.entries()) {
    const own = endpoints.filter(({ container }) => container.name === `c${index}`)
    const inside = await ipJson(place, 'address', 'show')
    const found = inside.flatMap(({ addr_info }) => globalAddresses(addr_info))
    expect(found.sort()).toEqual(own.flatMap((endpoint) => endpoint.addresses).sort())
  }
  for (const container of adopted.containers) {
    const file = join(folders.hosts, container.name)
    if (container.state === 'running' && /^c\d/.test(container.name))
      expect(readFileSync(file, 'utf8')).toBe(
        `# Begin of the lines of nfbridge\n${container.hostsText}# End of the lines of nfbridge\n`,
      )
  }
  expect(readdirSync(folders.hosts).filter((name) => name.startsWith('.'))).toEqual([])
}

/** By the files, which are what the next open knows. */
function endpointsOf(adopted: BridgeHost, state: string): Endpoint[] {
  return adopted.containers.flatMap((container) => {
    if (container.state !== 'running') return []
    const record: {
      endpoints: (JsonObject & { index: number; mac: string; bridge: string; hostInterface: string })[]
    } = JSON.parse(
      readFileSync(join(state, 'containers', `${container.id}.json`), 'utf8').split('\n')[0] ?? '',
    )
    return record.endpoints.map(({ index, mac, bridge, hostInterface, ingress, egress, ipv4, ipv6 }) => ({
      container,
      index,
      mac,
      bridge,
      hostInterface,
      addresses: [ipv4, ipv6].filter((address) => typeof address === 'string'),
      limited: { ingress: ingress !== undefined, egress: egress !== undefined },
    }))
  })
}

function globalAddresses(info: unknown): string[] {
  if (!Array.isArray(info)) return []
  return info.flatMap(({ scope, local }) => (scope === 'global' && typeof local === 'string' ? [local] : []))
}

function kindOf({ linkinfo }: JsonObject): unknown {
  return typeof linkinfo === 'object' && linkinfo !== null && 'info_kind' in linkinfo
    ? linkinfo.info_kind
    : undefined
}

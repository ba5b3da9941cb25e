/** The pages of docs/ with a program, and what packets find when it has run. */
import { expect } from 'vitest'
import { type Machine, SILENCE_MS } from '../../../lab/machine.js'
import { addAddress } from '../../../lab/wiring.js'
import { ip, nft, runIn } from '../../support/tools.js'

type Machines = (name: string) => Machine

/** What is tried after a page's program has ended: the networks that it made stand. */
export const pages: ReadonlyMap<string, (machine: Machines) => Promise<void>> = new Map([
  ['forwarding', forwarding],
  ['user-rules', userRules],
  ['communication', communication],
  ['networks', networks],
  ['publishing', publishing],
  ['ipv6', ipv6],
  ['senders', senders],
  ['ipam', ipam],
  ['bandwidth', bandwidth],
  ['inspecting', inspecting],
  ['rtnl', rtnl],
  ['conntrack', async () => undefined],
  ['address', async () => undefined],
])

const hostAddress = '203.0.113.1'
const outsideAddress = '203.0.113.2'

async function expectSeen(
  from: Machine,
  address: string,
  port: number,
  seen: string,
  localAddress?: string,
): Promise<void> {
  const options = localAddress === undefined ? {} : { localAddress }
  const outcome = await from.probeTcp(address, port, options)
  expect(outcome, `${from.name} to ${address}:${port}`).toMatchObject({ outcome: 'reached', seen })
}

async function expectNothing(
  from: Machine,
  address: string,
  port: number,
  localAddress?: string,
): Promise<void> {
  const options = { timeoutMs: SILENCE_MS, ...(localAddress === undefined ? {} : { localAddress }) }
  const outcome = await from.probeTcp(address, port, options)
  expect(outcome.outcome, `${from.name} to ${address}:${port}`).not.toBe('reached')
}

async function forwarding(machine: Machines): Promise<void> {
  const [web, outside] = [machine('web'), machine('outside')]
  await Promise.all([web.serveTcp(80), outside.serveTcp(7)])
  await expectSeen(web, outsideAddress, 7, '172.18.0.2')
  await expectSeen(outside, '172.18.0.2', 80, '172.30.0.2', '172.30.0.2')
  await expectSeen(outside, '172.18.0.2', 80, outsideAddress)
}

async function userRules(machine: Machines): Promise<void> {
  const [web, outside] = [machine('web'), machine('outside')]
  await Promise.all([web.serveTcp(80), outside.serveTcp(7)])
  await expectNothing(outside, hostAddress, 8080)
  await expectSeen(outside, hostAddress, 8080, '8.8.8.8', '8.8.8.8')
  await expectSeen(web, outsideAddress, 7, hostAddress)
}

async function communication(machine: Machines): Promise<void> {
  const [web, db, stranger] = [machine('web'), machine('db'), machine('stranger')]
  await Promise.all([db, stranger].map((server) => server.serveTcp(5432)))
  await expectSeen(web, '172.17.0.4', 5432, '172.17.0.3')
  await expectNothing(web, '172.17.0.2', 5432)
  await expectNothing(db, '172.17.0.2', 5432)
}

async function networks(machine: Machines): Promise<void> {
  const [web, db, api, outside] = [machine('web'), machine('db'), machine('api'), machine('outside')]
  await Promise.all([db.serveTcp(5432), api.serveTcp(443), api.serveTcp(80), outside.serveTcp(7)])
  await expectSeen(web, '172.21.0.2', 5432, '172.21.0.3')
  await expectSeen(web, outsideAddress, 7, hostAddress)
  expect(await db.probeTcp(outsideAddress, 7)).toMatchObject({ outcome: 'unreachable' })
  await expectSeen(outside, '172.22.0.2', 443, outsideAddress)
  await expectNothing(outside, '172.22.0.2', 80)
  await expectSeen(api, outsideAddress, 7, '172.22.0.2')
}

async function publishing(machine: Machines): Promise<void> {
  const [web, other, host, outside] = [machine('web'), machine('other'), machine('host'), machine('outside')]
  await Promise.all([80, 90, 443].map((port) => web.serveTcp(port)))
  await web.serveUdp(7003)
  await expectSeen(outside, hostAddress, 8080, outsideAddress)
  await expectSeen(outside, hostAddress, 32_768, outsideAddress)
  await expectSeen(other, hostAddress, 8080, '172.17.0.1')
  await expectSeen(host, '127.0.0.1', 9000, '172.17.0.1')
  await expectNothing(outside, hostAddress, 9000)
  await expectNothing(outside, '172.17.0.2', 80)
  const answer = await outside.probeUdp(hostAddress, 7003)
  expect(answer).toMatchObject({ outcome: 'reached', seen: outsideAddress })
}

async function ipv6(machine: Machines): Promise<void> {
  const [web, app, outside] = [machine('web'), machine('app'), machine('outside')]
  await Promise.all([web.serveTcp(80, { address: '::' }), outside.serveTcp(7, { address: '::' })])
  await expectSeen(outside, '2001:db8::1', 8080, '2001:db8::2')
  await expectSeen(app, 'fd00:17::80', 80, String(await ipv6AddressOf(app)))
  await expectNothing(outside, 'fd00:17::80', 80)
  await expectSeen(web, '2001:db8::2', 7, '2001:db8::1')
  expect(await machine('host').probeTcp('::1', 8080)).toMatchObject({ outcome: 'refused' })
}

async function ipv6AddressOf(machine: Machine): Promise<string | undefined> {
  return /inet6 (fd\S+)\/64/.exec(await ip(machine.namespace, '-6', 'addr', 'show', 'dev', 'eth0'))?.[1]
}

async function senders(machine: Machines): Promise<void> {
  const web = machine('web')
  await web.serveTcp(80)
  for (const [name, own, forged] of [
    ['tenant', '172.17.0.3', '172.17.0.33'],
    ['router', '172.17.0.4', '172.17.0.44'],
  ] as const) {
    const container = machine(name)
    await addAddress(container, 'eth0', `${forged}/16`)
    await expectSeen(container, '172.17.0.2', 80, own, own)
    if (name === 'router') await expectSeen(container, '172.17.0.2', 80, forged, forged)
    else await expectNothing(container, '172.17.0.2', 80, forged)
  }
}

async function ipam(machine: Machines): Promise<void> {
  const [web, db] = [machine('web'), machine('db')]
  await db.serveTcp(5432)
  await expectSeen(web, '10.88.0.7', 5432, '10.88.5.4')
  expect(await ip(web.namespace, 'link', 'show', 'lan0')).toContain('mtu 1400')
  expect(await ip(web.namespace, 'route')).toContain('default via 10.88.255.254')
}

async function bandwidth(machine: Machines): Promise<void> {
  const limits = await runIn(machine('host').namespace, 'tc', ['qdisc', 'show'])
  expect(limits.match(/qdisc tbf \S+ dev ifb\S+ root .*rate 1Mbit burst 15000b/g)).toHaveLength(1)
  expect(limits.match(/qdisc tbf/g)).toHaveLength(1)
}

async function rtnl(machine: Machines): Promise<void> {
  const [web, host] = [machine('web'), machine('host')]
  await web.serveTcp(80)
  await expectSeen(host, '172.18.0.2', 80, '172.18.0.1')
}

async function inspecting(machine: Machines): Promise<void> {
  const [web, app, host] = [machine('web'), machine('app'), machine('host')]
  await web.serveTcp(80)
  await expectSeen(app, '172.17.0.2', 80, '172.17.0.3')
  expect(await nft(host.namespace, 'list', 'ruleset')).toContain('172.17.0.3 . 172.17.0.2 . tcp . 80')
}

/** What docs/docker.md says to do instead of options that are not here: its rules and commands do what it says. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { PATIENCE_MS } from '../../../lab/machine.js'
import { addAddress } from '../../../lab/wiring.js'
import { bridge, ip, nft, nftFile } from '../../support/tools.js'
import { createSetting, expectBlocked, expectReached } from '../network/setting.js'

const page = readFileSync(new URL('../../../docs/docker.md', import.meta.url), 'utf8')

const HOST = '203.0.113.1'
const OUTSIDE = '203.0.113.2'
const WEB = '172.17.0.2'
const APP = '172.17.0.3'
const GATEWAY = '172.17.0.1'

/** The rules and commands in the row of an option, those that begin as said, in their order. */
function remedies(option: string, begin: string): string[] {
  const rows = page.split('\n').filter((line) => line.startsWith('| ') && line.includes(`\`${option}\``))
  const found = rows
    .flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text))
    .filter((text) => text.startsWith(begin))
  expect(found, `${option} in docs/docker.md`).not.toEqual([])
  return found
}

function remedy(option: string, begin: string): string {
  const [text = ''] = remedies(option, begin)
  return text
}

/** `ip link set NAME promisc on` for an interface, without the program's name. */
const argumentsFor = (command: string, name: string): string[] =>
  command.replace('NAME', name).replace(/\bN\b/, '77').split(' ').slice(1)

const ownTable = (type: string, rule: string): string => `table ip mine {
  chain c {
    ${type}
    ${rule}
  }
}
`

it('masqAll: published ports see the bridge instead of who asks', async () => {
  const { attach, machine, outside, host, bridgeHost } = await createSetting(['web'])
  await attach('web', { publish: ['8080:80'] })
  await machine('web').serveTcp(80)
  await expectReached(outside, HOST, 8080, OUTSIDE)
  const rule = remedy('masqAll', 'oifname')
  await nftFile(host.namespace, ownTable('type nat hook postrouting priority srcnat;', rule))
  await expectReached(outside, HOST, 8080, '172.17.0.1')
  expect(await bridgeHost.check()).toEqual([])
})

it('conditionsV4: who gets in is said by the address and port of the host', async () => {
  const { attach, machine, outside, host } = await createSetting(['web'])
  await attach('web', { publish: ['8080:80', '8081:80'] })
  await machine('web').serveTcp(80)
  await expectReached(outside, HOST, 8080, OUTSIDE)
  await nft(host.namespace, `add rule inet nfbridge user_inbound ${remedy('conditionsV4', 'meta')}`)
  await expectBlocked(outside, HOST, 8080)
  await expectReached(outside, HOST, 8081, OUTSIDE)
})

it('bridge-accept-fwmark: what has the mark reaches the container by its own address', async () => {
  const { attach, machine, outside, host } = await createSetting(['web'])
  await attach('web')
  await machine('web').serveTcp(80)
  await nft(host.namespace, `add rule inet nfbridge user ${remedy('bridge-accept-fwmark', 'meta')}`)
  await expectBlocked(outside, WEB, 80)
  const mark = 'iifname "uplink" meta mark set 0x10'
  await nftFile(host.namespace, ownTable('type filter hook prerouting priority mangle;', mark))
  await expectReached(outside, WEB, 80, OUTSIDE)
})

it('StrictForwardPorts: published ports are open where they were named', async () => {
  const { attach, machine, outside, host } = await createSetting(['web'])
  await attach('web', { publish: ['8080:80', '8443:443'] })
  await Promise.all([80, 443].map((port) => machine('web').serveTcp(port)))
  await expectReached(outside, HOST, 8080, OUTSIDE)
  await nft(host.namespace, `add rule inet nfbridge user_inbound ${remedy('StrictForwardPorts', 'ct')}`)
  await expectBlocked(outside, HOST, 8080)
  await expectReached(outside, HOST, 8443, OUTSIDE)
})

it('shapedSubnets: a rule of users limits what goes to a subnet', async () => {
  const { attach, bridgeHost, host } = await createSetting(['web'])
  await attach('web')
  const rule = remedy('shapedSubnets', 'ip saddr')
  await nft(host.namespace, `add rule inet nfbridge user ${rule}`)
  expect((await bridgeHost.userRules.forward.list()).map(({ text }) => text)).toEqual([rule])
})

it('userland-proxy: the address ::1 is free for a proxy where the port is published by IPv4 alone', async () => {
  const pools = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]
  const { attach, machine, outside, host } = await createSetting(['web'], { subnet: undefined, pools })
  const publication = remedy('userland-proxy', '0.0.0.0:')
  await attach('web', { publish: [publication, '8081:80'] })
  await machine('web').serveTcp(80)
  await expect(host.serveTcp(8081, { address: '::1' })).rejects.toThrow('EADDRINUSE')
  await host.serveTcp(8080, { address: '::1' })
  await expectReached(host, '::1', 8080, '::1')
  await expectReached(outside, HOST, 8080, OUTSIDE)
})

it('userland-proxy: by a link-local address of the host a port is not reached, as the page says', async () => {
  const pools = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]
  const { attach, machine, outside, host } = await createSetting(['web'], { subnet: undefined, pools })
  await attach('web', { publish: ['8080:80'] })
  await machine('web').serveTcp(80, { address: '::' })
  const addresses = (of: typeof host) => ip(of.namespace, '-6', 'address', 'show', 'dev', 'uplink')
  for (const one of [host, outside])
    await expect.poll(() => addresses(one), { timeout: PATIENCE_MS }).not.toContain('tentative')
  for (const [one, address] of [
    [host, '2001:db8:113::1'],
    [outside, '2001:db8:113::2'],
  ] as const)
    await addAddress(one, 'uplink', `${address}/64`)
  await expectReached(outside, '2001:db8:113::1', 8080, '2001:db8:113::2')
  const [, linkLocal = ''] = /inet6 (fe80\S+)\/64/.exec(await addresses(host)) ?? []
  expect(await outside.probeTcp(`${linkLocal}%uplink`, 8080)).toMatchObject({ outcome: 'unreachable' })
})

it('vrf: routing rules give a network routes of its own, and leave it to itself', async () => {
  const { attach, machine, outside, host, bridgeHost } = await createSetting(['web', 'app'])
  await attach('web', { publish: ['8080:80'] })
  await attach('app')
  await Promise.all([machine('web').serveTcp(80), outside.serveTcp(7)])
  await expectReached(machine('web'), OUTSIDE, 7, HOST)
  await ip(host.namespace, 'route', 'add', 'default', 'via', OUTSIDE, 'table', '100')
  for (const command of remedies('vrf', 'ip rule add').toReversed())
    await ip(host.namespace, ...command.split(' ').slice(1))
  await expectReached(machine('web'), OUTSIDE, 7, HOST)
  await expectReached(machine('app'), HOST, 8080, GATEWAY)
  await expectReached(outside, HOST, 8080, OUTSIDE)
  expect(await bridgeHost.check()).toEqual([])
  await ip(host.namespace, 'route', 'replace', 'unreachable', 'default', 'table', '100')
  expect(await machine('web').probeTcp(OUTSIDE, 7)).toMatchObject({ outcome: 'unreachable' })
})

it('portIsolation: the flag of the ports keeps containers apart without rules', async () => {
  const { attach, machine, host, bridgeHost } = await createSetting(['web', 'app'], {}, { firewall: false })
  const containers = [await attach('web'), await attach('app')]
  await machine('web').serveTcp(80)
  await expectReached(machine('app'), WEB, 80, APP)
  const command = remedy('portIsolation', 'bridge link')
  for (const container of containers) {
    const name = container.addressOn('docker0')?.hostInterface ?? ''
    await bridge(host.namespace, ...argumentsFor(command, name))
  }
  await expectBlocked(machine('app'), WEB, 80)
  const findings = await bridgeHost.check()
  expect(findings.map(({ code }) => code)).toEqual(['port-changed', 'port-changed'])
})

it('promisc, allmulti and txQLen: set after attach, they stay and change nothing else', async () => {
  const { attach, machine, host, bridgeHost } = await createSetting(['web', 'app'])
  const web = await attach('web')
  await attach('app')
  await machine('web').serveTcp(80)
  for (const command of remedies('promiscMode', 'ip link')) {
    await ip(machine('web').namespace, ...argumentsFor(command, 'eth0'))
    await ip(host.namespace, ...argumentsFor(command, 'docker0'))
  }
  const port = web.addressOn('docker0')?.hostInterface ?? ''
  await ip(host.namespace, ...argumentsFor(remedy('txQLen', 'ip link'), port))
  expect(await ip(machine('web').namespace, 'link', 'show', 'eth0')).toMatch(/ALLMULTI,PROMISC/)
  expect(await ip(host.namespace, 'link', 'show', port)).toContain('qlen 77')
  await expectReached(machine('app'), WEB, 80, APP)
  expect(await bridgeHost.check()).toEqual([])
})

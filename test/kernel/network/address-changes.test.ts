/** The uplink gets another address, or another uplink takes over: what names no address follows, what names one is a finding. */
import { expect, it } from 'vitest'
import { PATIENCE_MS, SILENCE_MS } from '../../../lab/machine.js'
import { connect } from '../../../lab/wiring.js'
import { conntrack, ip, runIn } from '../../support/tools.js'
import { createMachines, createSetting, expectReached, type Setting } from './setting.js'

/** As a DHCP client does it: the new address first, then the old one goes, and with it its routes. */
async function changeAddress({ host }: Setting): Promise<void> {
  for (const line of [
    'address add 203.0.113.9/24 dev uplink',
    'address delete 203.0.113.1/24 dev uplink',
    'address add 203.0.113.9/24 dev uplink',
    'route replace default via 203.0.113.2 dev uplink',
  ])
    await ip(host.namespace, ...line.split(' ')).catch((error: unknown) => {
      // The second address of a network goes with the first, or stays (promote_secondaries).
      if (!String(error).includes('File exists') && !String(error).includes('already assigned')) throw error
    })
}

it('masquerading and ports published on every address follow the new one', async () => {
  const setting = await createSetting(['web'])
  const { attach, outside, machine, host, bridgeHost } = setting
  await attach('web', { publish: ['8080:80'] })
  const web = machine('web')
  await web.serveTcp(80)
  await outside.serveTcp(80)
  await outside.serveUdp(80)
  await expectReached(web, '203.0.113.2', 80, '203.0.113.1')
  await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
  expect(await web.probeUdp('203.0.113.2', 80, { localPort: 5000, timeoutMs: PATIENCE_MS })).toMatchObject({
    seen: '203.0.113.1',
  })
  await changeAddress(setting)
  expect(await bridgeHost.check()).toEqual([])
  await expectReached(web, '203.0.113.2', 80, '203.0.113.9')
  await expectReached(outside, '203.0.113.9', 8080, '203.0.113.2')
  // The same flow as before: its entry of connection tracking went with the address.
  expect(await web.probeUdp('203.0.113.2', 80, { localPort: 5000, timeoutMs: PATIENCE_MS })).toMatchObject({
    seen: '203.0.113.9',
  })
  expect(await conntrack(host.namespace, '-L', '--src-nat', '203.0.113.1')).toBe('')
})

it('a masqueraded flow moves to another uplink when the default route does', async () => {
  const { attach, outside, machine, host, bridgeHost } = await createSetting(['web'])
  const { machines } = await createMachines('vpn')
  const vpn = machines.get('vpn')
  if (!vpn) throw new Error('a VPN')
  await connect(
    { machine: host, interface: 'vpn0', address: '192.0.2.1/24' },
    { machine: vpn, interface: 'vpn0', address: '192.0.2.2/24' },
  )
  for (const far of [outside, vpn]) {
    await ip(far.namespace, 'address', 'add', '198.51.100.5/32', 'dev', 'lo')
    await far.serveUdp(80, { address: '198.51.100.5' })
  }
  await attach('web', { publish: ['8080:80'] })
  const web = machine('web')
  const send = () => web.probeUdp('198.51.100.5', 80, { localPort: 5000, timeoutMs: 500 })
  await expect.poll(send, { timeout: PATIENCE_MS }).toMatchObject({ server: 'outside', seen: '203.0.113.1' })
  await ip(host.namespace, 'route', 'replace', 'default', 'via', '192.0.2.2', 'dev', 'vpn0')
  await expect.poll(send, { timeout: PATIENCE_MS }).toMatchObject({ server: 'vpn', seen: '192.0.2.1' })
  expect(await bridgeHost.check()).toEqual([])
})

it('an address that a network sends under, or that a port is published on, is a finding when it is gone', async () => {
  const setting = await createSetting(['web'], { masquerade: { snat: '203.0.113.1' } })
  const { attach, bridgeHost, host, outside, machine } = setting
  await attach('web', { publish: ['203.0.113.1:8080:80', '127.0.0.1:99:80', '81:80'] })
  await machine('web').serveTcp(80)
  await outside.serveTcp(80)
  expect(await bridgeHost.check()).toEqual([])
  await changeAddress(setting)
  const findings = await bridgeHost.check()
  expect(findings.map(({ code, severity, subject }) => [code, severity, subject])).toEqual([
    ['snat-address-gone', 'error', 'docker0'],
    ['published-address-gone', 'error', 'web'],
  ])
  expect((await machine('web').probeTcp('203.0.113.2', 80, { timeoutMs: SILENCE_MS })).outcome).not.toBe(
    'reached',
  )
  const command = /`([^`]+)`/.exec(findings[0]?.remedy ?? '')?.[1] ?? ''
  await runIn(host.namespace, 'sh', ['-c', command])
  expect(await bridgeHost.check()).toEqual([])
  await expectReached(machine('web'), '203.0.113.2', 80, '203.0.113.1')
  await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
})

it('an address that is none of the host on any link may be routed to it: a warning', async () => {
  const { bridgeHost, host } = await createSetting([], { masquerade: { snat: '192.0.2.200' } })
  expect(await bridgeHost.check()).toMatchObject([{ code: 'snat-address-gone', severity: 'warning' }])
  await ip(host.namespace, 'route', 'add', 'local', '192.0.2.200', 'dev', 'lo')
  expect(await bridgeHost.check()).toEqual([])
})

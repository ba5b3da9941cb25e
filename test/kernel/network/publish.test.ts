import { describe, expect, it } from 'vitest'
import { type Machine, PATIENCE_MS, SILENCE_MS } from '../../../lab/machine.js'
import { addAddress } from '../../../lab/wiring.js'
import { ip, nft, nftFile } from '../../support/tools.js'
import { createSetting, expectBlocked, expectReached, failureOf } from './setting.js'

const HOST = '203.0.113.1'
const OUTSIDE = '203.0.113.2'

describe.each([true, false])('a published port, icc: %s', (icc) => {
  it('is reached from outside, from the host, from a neighbour, and from the container itself', async () => {
    const { attach, machine, outside, host, network } = await createSetting(['web', 'app'], { icc })
    await attach('web', { publish: ['8080:80/tcp'] })
    await attach('app')
    await machine('web').serveTcp(80)
    await expectReached(outside, HOST, 8080, OUTSIDE)
    for (const address of ['127.0.0.1', HOST, network.gateway]) {
      // The host by 127.0.0.1 could not be answered, and who is on the same bridge would be, past the translation.
      await expectReached(host, address, 8080, address === '127.0.0.1' ? network.gateway : address)
      if (address === '127.0.0.1') continue
      await expectReached(machine('app'), address, 8080, network.gateway)
      await expectReached(machine('web'), address, 8080, network.gateway)
    }
  })

  it('is reached by UDP, and the answer comes from the address that was asked', async () => {
    const { attach, machine, outside, host } = await createSetting(['dns', 'app'], { icc })
    await attach('dns', { publish: ['5353:53/udp'] })
    await attach('app')
    await machine('dns').serveUdp(53)
    // The probe only takes an answer from the very address and port that it asked.
    expect(await outside.probeUdp(HOST, 5353)).toMatchObject({ outcome: 'reached', seen: OUTSIDE })
    expect(await machine('app').probeUdp(HOST, 5353)).toMatchObject({ outcome: 'reached' })
    expect(await host.probeUdp('127.0.0.1', 5353)).toMatchObject({ outcome: 'reached' })
  })
})

describe('publishing', () => {
  it('all exposed ports gives each that is not named a port of the host, kept by a stop and a start', async () => {
    const { attach, machine, outside } = await createSetting(['web'])
    const web = await attach('web', {
      expose: ['80/tcp', '80/udp', '443', '9000-9001'],
      publish: ['8080:80', '7000-7010:7000-7010'],
      publishAll: true,
    })
    const [named, range, ...chosen] = web.published
    expect([named, range]).toEqual(['8080:80/tcp', '7000-7010:7000-7010/tcp'])
    expect(chosen.map((each) => each.slice(each.indexOf(':') + 1))).toEqual([
      '80/udp',
      '443/tcp',
      '9000/tcp',
      '9001/tcp',
    ])
    await machine('web').serveTcp(9001)
    const hostPort = Number(chosen.find((each) => each.endsWith(':9001/tcp'))?.split(':')[0])
    await expectReached(outside, HOST, hostPort, OUTSIDE)
    await web.expose('5000')
    await web.stop()
    await web.start({ netns: machine('web').namespace })
    expect(web.published).toEqual([named, range, ...chosen])
    const failure = await failureOf(attach('web', JSON.parse('{"publishAll":"yes"}')))
    expect(failure).toMatchObject({ code: 'NFB_INVALID_ARGUMENT', path: 'publishAll' })
  })

  it('all exposed ports is refused where no port of the host leads to the container', async () => {
    const { attach } = await createSetting(['web'], { internal: true })
    const failure = await failureOf(attach('web', { expose: ['80'], publishAll: true }))
    expect(failure).toMatchObject({ code: 'NFB_SETTING_CONFLICT', path: 'publishAll' })
  })

  it('opens the published port alone, and only by the host: not the address of the container', async () => {
    const { attach, machine, outside } = await createSetting(['web'])
    const web = await attach('web', { publish: ['8080:80'] })
    for (const port of [80, 81]) await machine('web').serveTcp(port)
    await expectBlocked(outside, web.address, 80)
    await expectBlocked(outside, web.address, 81)
    await expectReached(outside, HOST, 8080, OUTSIDE)
  })

  it('on one address of the host only answers there; one port on two addresses leads to two containers', async () => {
    const { attach, machine, outside, host } = await createSetting(['one', 'two'])
    await addAddress(host, 'uplink', '203.0.113.9/24')
    await attach('one', { publish: [`${HOST}:8080:80`] })
    await attach('two', { publish: [{ hostAddress: '203.0.113.9', hostPort: 8080, containerPort: 80 }] })
    for (const name of ['one', 'two']) await machine(name).serveTcp(80)
    expect(await outside.probeTcp(HOST, 8080)).toMatchObject({ outcome: 'reached', server: 'one' })
    expect(await outside.probeTcp('203.0.113.9', 8080)).toMatchObject({ outcome: 'reached', server: 'two' })
    expect(await host.probeTcp('127.0.0.1', 8080)).toEqual({ outcome: 'refused' })
  })

  it('on a loopback address is for the host alone, even when somebody routes 127/8 here', async () => {
    const { attach, machine, outside, host, network } = await createSetting(['web', 'app'])
    // Another port brings the rules that the controls below need.
    const web = await attach('web', { publish: ['127.0.0.2:8080:80', '9090:90'] })
    await attach('app')
    await machine('web').serveTcp(80)
    await host.serveTcp(6000, { address: '127.0.0.1' })
    await expectReached(host, '127.0.0.2', 8080, network.gateway)
    await routeLoopback(outside, HOST)
    await routeLoopback(machine('app'), network.gateway)
    const attempts = [
      (timeoutMs: number) => outside.probeTcp('127.0.0.2', 8080, { localAddress: OUTSIDE, timeoutMs }),
      (timeoutMs: number) =>
        machine('app').probeTcp('127.0.0.2', 8080, { localAddress: '172.17.0.3', timeoutMs }),
      (timeoutMs: number) =>
        machine('app').probeTcp('127.0.0.1', 6000, { localAddress: '172.17.0.3', timeoutMs }),
    ]
    for (const attempt of attempts) expect(await attempt(SILENCE_MS)).toEqual({ outcome: 'timeout' })
    // That they do get here: without the rule, and with one that forwards, the published port is reached by both.
    await deleteGuard(host, 'prerouting')
    for (const attempt of attempts.slice(0, 1))
      expect(await attempt(SILENCE_MS)).toEqual({ outcome: 'timeout' })
    const published = ['{', web.address, '.', 'tcp', '.', '80', '}']
    await nft(host.namespace, 'add', 'element', 'inet', 'nfbridge', 'published', ...published)
    // As for every neighbour at a port that is published for others than the host.
    const near = ['{', '"docker0"', '.', web.address, '}']
    await nft(host.namespace, 'add', 'element', 'inet', 'nfbridge', 'near', ...near)
    for (const attempt of attempts.slice(0, 2))
      expect(await attempt(PATIENCE_MS)).toMatchObject({ outcome: 'reached' })
  })

  it('leads no neighbour to what listens on a loopback address, not even where connections are not tracked', async () => {
    const { attach, machine, host, network } = await createSetting(['app'])
    const { address } = await attach('app')
    await host.serveTcp(6000, { address: '127.0.0.1' })
    await routeLoopback(machine('app'), network.gateway)
    await nftFile(
      host.namespace,
      `table ip untracked { chain in { type filter hook prerouting priority raw; ip daddr 127.0.0.1 iifname != "lo" notrack; }; }
      table ip arrived { chain in { type filter hook input priority 10; tcp dport 6000 counter; }; }`,
    )
    const arrives = async (): Promise<boolean> => {
      const count = async () =>
        /packets (\d+)/.exec(await nft(host.namespace, 'list', 'table', 'ip', 'arrived'))?.[1]
      const before = await count()
      await machine('app').probeTcp('127.0.0.1', 6000, { localAddress: address, timeoutMs: SILENCE_MS })
      return (await count()) !== before
    }
    expect(await arrives()).toBe(false)
    // That it does get here: each of the two rules stops it where the other is gone.
    await deleteGuard(host, 'input')
    expect(await arrives()).toBe(true)
    await nft(host.namespace, 'delete', 'table', 'ip', 'untracked')
    expect(await arrives()).toBe(false)
    await deleteGuard(host, 'prerouting')
    expect(await arrives()).toBe(true)
  })

  it.each([{ allowDirectRouting: true }, { trustedInterfaces: ['uplink'] }])(
    "on a loopback address does not open the container's own: %j",
    async (options) => {
      const { attach, machine, outside } = await createSetting(['web'], options)
      const web = await attach('web', {
        publish: ['127.0.0.1:8080:80', '8081:81', '127.0.0.1:8090-8091:90-91'],
      })
      for (const port of [80, 81, 91]) await machine('web').serveTcp(port)
      await expectReached(outside, web.address, 81, OUTSIDE)
      await expectBlocked(outside, web.address, 80)
      await expectBlocked(outside, web.address, 91)
      await web.publish('8082:80')
      await expectReached(outside, web.address, 80, OUTSIDE)
    },
  )

  it('on a loopback address is refused where no network translates, and opens nothing on one that is routed', async () => {
    const { attach, machine, outside, bridgeHost } = await createSetting(['web', 'two'], {
      gatewayMode: 'routed',
    })
    const web = await attach('web')
    const refusal = { code: 'NFB_SETTING_CONFLICT', path: 'ports[0]' }
    await expect(web.publish('127.0.0.1:8080:80')).rejects.toMatchObject(refusal)
    const nat = await bridgeHost.createNetwork({ name: 'nat', subnet: '172.18.0.0/24' })
    const two = await attach('two', { publish: ['127.0.0.1:8080:80', '8081:81'] }, nat)
    await two.connect('docker0', { netns: machine('two').namespace, priority: 1 })
    for (const port of [80, 81]) await machine('two').serveTcp(port)
    const routed = two.addressOn('docker0')?.ipv4 ?? ''
    await expectReached(outside, routed, 81, OUTSIDE)
    await expectBlocked(outside, routed, 80)
  })

  it('and the own address on a routed network are reached, whichever network has the default route', async () => {
    const { attach, machine, outside, bridgeHost } = await createSetting(['web'])
    const routed = await bridgeHost.createNetwork({
      name: 'routed',
      subnet: '172.18.0.0/24',
      gatewayMode: 'routed',
    })
    const web = await attach('web', { publish: ['8080:80'] })
    await machine('web').serveTcp(80)
    for (const priority of [-1, 1]) {
      await web.connect(routed, { netns: machine('web').namespace, priority })
      await expectReached(outside, HOST, 8080, OUTSIDE)
      await expectReached(outside, web.addressOn(routed)?.ipv4 ?? '', 80, OUTSIDE)
      await web.disconnect(routed)
    }
    await expectReached(outside, HOST, 8080, OUTSIDE)
  })

  it('takes ranges whose ports of the container overlap, and gives each back by itself', async () => {
    const { attach, machine, outside } = await createSetting(['web'])
    const web = await attach('web', { publish: ['8000-8009:80-89', '9000-9004:85-89'] })
    for (const port of [79, 80, 87]) await machine('web').serveTcp(port)
    await web.publish('9100-9109:75-84')
    await expectReached(outside, HOST, 8007, OUTSIDE)
    await expectReached(outside, HOST, 9002, OUTSIDE)
    await expectReached(outside, HOST, 9104, OUTSIDE)
    await web.unpublish('8000-8009:80-89')
    await expectReached(outside, HOST, 9002, OUTSIDE)
    await expectReached(outside, HOST, 9105, OUTSIDE)
    expect(await outside.probeTcp(HOST, 8007)).toEqual({ outcome: 'refused' })
  })

  it('while running, and taking back, takes effect at once, for open connections as well', async () => {
    const { attach, machine, outside } = await createSetting(['web'])
    const web = await attach('web')
    await machine('web').serveTcp(80)
    expect(await outside.probeTcp(HOST, 8080)).toEqual({ outcome: 'refused' })
    await web.publish('8080:80', '9000:80')
    expect(web.published).toEqual(['8080:80/tcp', '9000:80/tcp'])
    const revoked = await outside.holdTcp(HOST, 8080)
    const other = await outside.holdTcp(HOST, 9000)
    await web.unpublish('8080:80')
    expect(await revoked.send('after', { timeoutMs: SILENCE_MS })).not.toBe('echo')
    expect(await other.send('after')).toBe('echo')
    expect(await outside.probeTcp(HOST, 8080)).toEqual({ outcome: 'refused' })
  })

  it('takes over a UDP flow that was there before the port was published', async () => {
    const { attach, machine, outside } = await createSetting(['dns'])
    const dns = await attach('dns')
    await machine('dns').serveUdp(53)
    const before = await outside.probeUdp(HOST, 5353, { localPort: 7777 })
    expect(before.outcome).not.toBe('reached')
    await dns.publish('5353:53/udp')
    expect(await outside.probeUdp(HOST, 5353, { localPort: 7777 })).toMatchObject({ outcome: 'reached' })
  })

  it('does not hang the host that asks by ::1, which IPv6 leads nowhere', async () => {
    const { bridgeHost, machine, host } = await createSetting(['web'])
    const network = await bridgeHost.createNetwork({ name: 'dual', ipv6: true })
    const web = await network.attach({ name: 'web', netns: machine('web').namespace, publish: ['8080:80'] })
    await machine('web').serveTcp(80, { address: '::' })
    expect(await host.probeTcp('::1', 8080)).toEqual({ outcome: 'refused' })
    const gateway = network.gateways.find((each) => each.includes(':')) ?? ''
    await expectReached(host, gateway, 8080, gateway)
    await expect(web.publish('[::1]:8081:80')).rejects.toMatchObject({ code: 'NFB_SETTING_CONFLICT' })
  })

  it('ranges lead port by port', async () => {
    const { attach, machine, outside } = await createSetting(['web'])
    await attach('web', { publish: ['8000-8002:80-82'] })
    for (const port of [80, 81, 82]) await machine('web').serveTcp(port)
    for (const offset of [0, 1, 2]) {
      expect(await outside.probeTcp(HOST, 8000 + offset)).toMatchObject({
        outcome: 'reached',
        localPort: 80 + offset,
      })
    }
  })
})

/** Makes a machine take 127/8 for addresses of somebody else, as one that attacks would. */
async function routeLoopback(machine: Machine, gateway: string): Promise<void> {
  await machine.namespace.writeSysctl('net.ipv4.conf.all.route_localnet', '1')
  await ip(machine.namespace, 'route', 'flush', 'table', 'local', 'dev', 'lo')
  await ip(machine.namespace, 'route', 'add', '127.0.0.0/8', 'via', gateway)
}

/** Takes away the rule that keeps loopback addresses from everybody but the host itself. */
async function deleteGuard(host: Machine, chain: 'prerouting' | 'input'): Promise<void> {
  const listed = await nft(host.namespace, '-a', 'list', 'chain', 'inet', 'nfbridge', chain)
  const handle = /127\.0\.0\.0\/8 .*drop # handle (\d+)/.exec(listed)?.[1]
  await nft(host.namespace, `delete rule inet nfbridge ${chain} handle ${handle}`)
}

import {
  appendFileSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { ip, ipJson, nft } from '../../support/tools.js'
import { cleanUp, createSetting, expectBlocked, expectReached, failureOf, openHost } from './setting.js'
import { stateOf } from './state.js'

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'nfbridge-'))
  cleanUp(async () => rmSync(path, { recursive: true, force: true }))
  return path
}

describe('a container that stops and starts', () => {
  it('comes back on another address, and its links and ports follow it and no stranger', async () => {
    const { attach, machine, outside, network, host } = await createSetting(['web', 'app', 'evil'], {
      icc: false,
    })
    const web = await attach('web', { expose: ['80/tcp'], publish: ['8080:80'] })
    const app = await attach('app', { links: ['web:db'] })
    await machine('web').serveTcp(80)
    await expectReached(machine('app'), web.address, 80, app.address)
    const former = web.address
    const held = await machine('app').holdTcp(former, 80)
    await web.stop()
    expect(web.state).toBe('stopped')
    expect(await held.send('still', { timeoutMs: SILENCE_MS })).not.toBe('echo')
    expect(await nft(host.namespace, 'list', 'ruleset')).not.toContain(former)
    expect(app.links).toEqual([{ alias: 'db', container: 'web', address: undefined, ports: ['80/tcp'] }])
    expect(await failureOf(app.link('web:again'))).toMatchObject({
      code: 'NFB_LINK_REFUSED',
      message: expect.stringContaining('is stopped'),
    })
    await attach('evil', { address: former })
    await machine('evil').serveTcp(80)
    await expectBlocked(machine('app'), former, 80)
    expect((await outside.probeTcp('203.0.113.1', 8080)).outcome).toBe('refused')

    await web.start({ netns: machine('web').namespace })
    expect(web.state).toBe('running')
    expect(web.address).not.toBe(former)
    expect(web.networks).toEqual([network.name])
    await expectReached(machine('app'), web.address, 80, app.address)
    await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
    await expectBlocked(machine('app'), former, 80)
  })

  it('needs its namespace again where that was given by a descriptor; a failed start changes nothing', async () => {
    const { network, machine, host } = await createSetting(['web'], { icc: false })
    const { fd } = machine('web').namespace
    const web = await network.attach({ name: 'web', netns: { fd } })
    await web.stop()
    const before = await stateOf(host.namespace)
    expect(await failureOf(web.start())).toMatchObject({ code: 'NFB_INVALID_ARGUMENT', path: 'netns' })
    await ip(machine('web').namespace, 'link', 'add', 'eth0', 'type', 'bridge')
    expect(await failureOf(web.start({ netns: machine('web').namespace }))).toMatchObject({
      code: 'NFB_EXISTS',
    })
    expect(await stateOf(host.namespace)).toBe(before)
    expect(web.state).toBe('stopped')
    await ip(machine('web').namespace, 'link', 'del', 'eth0')
    await web.start({ netns: machine('web').namespace.path() })
    await web.stop()
    await web.start()
    expect(web.state).toBe('running')
    await web.detach()
  })
})

describe('a container on two networks', () => {
  it('is reached by the address of the shared one only; its way out is that of the higher priority', async () => {
    const { attach, machine, bridgeHost, outside, network } = await createSetting(['web', 'one', 'two'])
    const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.21.0.0/16' })
    const web = await attach('web')
    await attach('one')
    const two = await attach('two', {}, other)
    await web.connect(other, { netns: machine('web').namespace, priority: 5 })
    expect(web.networks).toEqual(['docker0', 'other'])
    expect(web.addressOn('other')).toMatchObject({ ipv4: '172.21.0.3', interfaceName: 'eth1' })
    await machine('web').serveTcp(80)
    await expectReached(machine('two'), '172.21.0.3', 80, two.address)
    await expectBlocked(machine('two'), web.address, 80)
    await expectBlocked(machine('one'), '172.21.0.3', 80)
    const [way] = await ipJson(machine('web').namespace, 'route', 'get', '203.0.113.2')
    expect(way).toMatchObject({ dev: 'eth1', gateway: '172.21.0.1' })
    await outside.serveTcp(80)
    await web.disconnect('other')
    const [fallback] = await ipJson(machine('web').namespace, 'route', 'get', '203.0.113.2')
    expect(fallback).toMatchObject({ dev: 'eth0', gateway: '172.17.0.1' })
    await expectReached(machine('web'), '203.0.113.2', 80, '203.0.113.1')
    await network.destroy()
    expect(bridgeHost.container('web')).toBeUndefined()
    await other.destroy()
  })

  it('stays on the other when one network is destroyed, and keeps its published port there', async () => {
    const { attach, machine, bridgeHost, outside, network } = await createSetting(['web'])
    const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.21.0.0/16' })
    const web = await attach('web', { publish: ['8080:80'] })
    await web.connect('other', { netns: machine('web').namespace })
    await machine('web').serveTcp(80)
    await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
    await network.destroy()
    expect(web.networks).toEqual(['other'])
    await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
    await other.destroy()
  })
})

describe('a hosts file', () => {
  it('is written when the container comes, follows its servers, keeps its mode and owner, and goes from it', async () => {
    const { attach, machine } = await createSetting(['web', 'app', 'evil'], { icc: false })
    const file = join(directory(), 'hosts')
    writeFileSync(file, 'old\n', { mode: 0o640 })
    chownSync(file, 12345, 23456)
    const web = await attach('web', { hostname: 'www' })
    const app = await attach('app', { links: ['web:db'], hostsFile: file })
    const lines = (): string[] => readFileSync(file, 'utf8').split('\n')
    expect(lines()).toContain(`${web.address}\tdb www web`)
    expect(readFileSync(file, 'utf8')).toContain(app.hostsText)
    const { mode, uid, gid } = statSync(file)
    expect([mode & 0o7777, uid, gid]).toEqual([0o640, 12345, 23456])
    const former = web.address
    await web.stop()
    expect(readFileSync(file, 'utf8')).not.toContain(former)
    await attach('evil', { address: former })
    await web.start({ netns: machine('web').namespace })
    expect(lines()).toContain(`${web.address}\tdb www web`)
    expect(readFileSync(file, 'utf8')).not.toContain(`${former}\t`)
    await app.unlink('db')
    expect(readFileSync(file, 'utf8')).not.toContain('www')
    expect(lines().slice(0, 1)).toEqual(['old'])
    await app.detach()
    expect(readFileSync(file, 'utf8')).toBe('old\n')
  })

  it('keeps the lines of others through every change, and when a process takes over', async () => {
    const state = directory()
    const file = join(directory(), 'hosts')
    const foreign = ['192.0.2.7\tdb.example.com db', '# by hand']
    writeFileSync(file, `${foreign.join('\n')}\n`)
    const { attach, machine, host, bridgeHost } = await createSetting(['web', 'app'], {}, { state })
    const others = (): string[] =>
      readFileSync(file, 'utf8')
        .replace(/^# Begin [\s\S]*^# End .*\n/m, '')
        .split('\n')
    const web = await attach('web')
    const addHosts = ['host.docker.internal:host-gateway']
    const app = await attach('app', { hostsFile: file, addHosts })
    expect(readFileSync(file, 'utf8')).toContain('\n172.17.0.1\thost.docker.internal\n')
    await app.link('web:db')
    appendFileSync(file, '198.51.100.1\tlate\n')
    await web.stop()
    await web.start()
    expect(readFileSync(file, 'utf8')).toContain(`\n${web.address}\tdb `)
    await bridgeHost.close()
    // Killed before it came to the file: our lines are gone, and those of others are there.
    writeFileSync(file, `${others().join('\n')}`)
    const again = await openHost(host, { state })
    expect(readFileSync(file, 'utf8')).toContain(`\n${web.address}\tdb `)
    expect(others()).toEqual([...foreign, '198.51.100.1\tlate', ''])
    for (const container of again.containers) await container.detach()
    expect(others()).toEqual([...foreign, '198.51.100.1\tlate', ''])
    const failing = again.network('docker0')?.attachAll([
      { name: 'app', netns: machine('app').namespace, hostsFile: file },
      { name: 'web2', netns: machine('web').namespace, hostsFile: '/missing/hosts' },
    ])
    const before = readFileSync(file, 'utf8')
    await expect(failing).rejects.toMatchObject({ errno: 'ENOENT' })
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  it('of containers that are forgotten has none of our lines, and is gone where it was ours alone', async () => {
    const folder = directory()
    const { attach, bridgeHost, network } = await createSetting(['web', 'app', 'old'])
    writeFileSync(join(folder, 'app'), '127.0.0.1 localhost\n::1 localhost\n')
    await attach('web', { hostsFile: join(folder, 'web') })
    await attach('app', { hostsFile: join(folder, 'app') })
    const old = await attach('old', { hostsFile: join(folder, 'old') })
    await old.stop()
    // (control) Of one that only stopped they stay.
    expect(readFileSync(join(folder, 'old'), 'utf8')).toContain('# Begin')
    expect(readFileSync(join(folder, 'app'), 'utf8')).toContain('\n::1\tip6-localhost ip6-loopback\n')
    await network.destroy()
    expect(bridgeHost.containers).toEqual([])
    expect(readdirSync(folder)).toEqual(['app'])
    expect(readFileSync(join(folder, 'app'), 'utf8')).toBe('127.0.0.1 localhost\n::1 localhost\n')
  })

  it('is of one container, by whatever path', async () => {
    const folder = directory()
    const { attach, network, machine } = await createSetting(['web', 'app'])
    symlinkSync(folder, join(folder, 'again'))
    await attach('web', { hostsFile: join(folder, 'hosts') })
    for (const file of ['hosts', 'again/hosts', 'again/../hosts'])
      expect(await failureOf(attach('app', { hostsFile: join(folder, file) })), file).toMatchObject({
        code: 'NFB_SETTING_CONFLICT',
        path: 'hostsFile',
      })
    const both = ['new', 'again/new'].map((file) => ({
      netns: machine('app').namespace,
      hostsFile: join(folder, file),
    }))
    expect(await failureOf(network.attachAll(both))).toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      path: 'containers[1].hostsFile',
    })
    await attach('app', { hostsFile: join(folder, 'app') })
    expect(readFileSync(join(folder, 'app'), 'utf8')).toContain('# Begin')
  })

  it('that can not be written is in the way of nothing that takes back, nor of another container', async () => {
    const folder = join(directory(), 'd')
    const file = join(folder, 'hosts')
    mkdirSync(folder)
    const { attach, bridgeHost, machine, network } = await createSetting(['a', 'b'], { icc: false })
    const a = await attach('a', { expose: ['80'] })
    const b = await attach('b', { links: ['a'], hostsFile: file })
    await machine('a').serveTcp(80)
    await expectReached(machine('b'), a.address, 80, b.address)
    rmSync(folder, { recursive: true })
    const told = [{ code: 'hosts-file-unwritten', subject: 'b', message: expect.stringContaining(file) }]
    await a.stop()
    await a.start()
    await expectReached(machine('b'), a.address, 80, b.address)
    expect(await bridgeHost.check()).toMatchObject(told)
    await b.unlink('a')
    await expectBlocked(machine('b'), a.address, 80)
    // What gives its own container something fails, and is undone.
    expect(await failureOf(b.link('a'))).toMatchObject({ errno: 'ENOENT', remaining: [] })
    await expectBlocked(machine('b'), a.address, 80)
    expect(await bridgeHost.check()).toMatchObject(told)
    // The next check writes it.
    mkdirSync(folder)
    expect(await bridgeHost.check()).toEqual([])
    expect(readFileSync(file, 'utf8')).toContain(b.hostsText)
    rmSync(file)
    mkdirSync(file)
    await b.detach()
    expect(bridgeHost.containers).toHaveLength(1)
    expect(await bridgeHost.check()).toMatchObject(told)
    rmSync(file, { recursive: true })
    const again = await attach('b', { links: ['a'], hostsFile: file })
    expect(await bridgeHost.check()).toEqual([])
    rmSync(file)
    mkdirSync(file)
    await again.stop()
    await network.destroy()
    expect(bridgeHost.containers).toEqual([])
    await bridgeHost.destroy()
  })

  it('that can not be written undoes the call', async () => {
    const { attach, host, machine } = await createSetting(['app'], { icc: false })
    const before = await Promise.all([stateOf(host.namespace), stateOf(machine('app').namespace)])
    const file = join(directory(), 'missing', 'hosts')
    expect(await failureOf(attach('app', { hostsFile: file }))).toMatchObject({
      operation: 'Network.attach',
      errno: 'ENOENT',
      path: 'hostsFile',
      message: expect.stringContaining(file),
      remaining: [],
    })
    expect(await Promise.all([stateOf(host.namespace), stateOf(machine('app').namespace)])).toEqual(before)
  })
})

describe('a container with the host network', () => {
  it('is known by name, and a link to it is refused with that reason', async () => {
    const { attach, bridgeHost } = await createSetting(['app'])
    const monitor = await bridgeHost.addHostContainer({ name: 'monitor' })
    expect(monitor.state).toBe('host')
    const app = await attach('app')
    expect(await failureOf(app.link('monitor'))).toMatchObject({
      code: 'NFB_LINK_REFUSED',
      message: expect.stringContaining("host's network"),
    })
    await monitor.detach()
    expect(bridgeHost.containers.map(({ name }) => name)).toEqual(['app'])
  })
})

describe('after a reboot', () => {
  it('networks, forwarding and rules stand again; what ran is lost, what was stopped is stopped', async () => {
    const state = directory()
    const { attach, bridgeHost, host, machine } = await createSetting(
      ['web', 'app'],
      { icc: false, pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }], subnet: undefined },
      { state },
    )
    await attach('web', { expose: [80] })
    const app = await attach('app', { links: ['web'] })
    await app.stop()
    await bridgeHost.addPeer({ subnet: '172.30.0.0/16', via: '203.0.113.2' })
    await bridgeHost.close()
    await nft(host.namespace, 'flush', 'ruleset')
    await ip(host.namespace, 'link', 'del', 'docker0')
    for (const line of (await ip(host.namespace, '-br', 'link')).split('\n')) {
      const [name] = line.split(/[@ ]/)
      if (name?.startsWith('veth')) await ip(host.namespace, 'link', 'del', name)
    }
    await ip(host.namespace, 'route', 'del', '172.30.0.0/16')
    await host.namespace.writeSysctl('net.ipv4.ip_forward', '0')
    await host.namespace.writeSysctl('net.ipv6.conf.all.forwarding', '0')

    const again = await openHost(host, { state })
    expect(again.lost).toEqual([expect.objectContaining({ name: 'web', networks: ['docker0'] })])
    expect(again.containers.map(({ name, state: each }) => [name, each])).toEqual([['app', 'stopped']])
    expect(again.peers).toEqual([{ subnet: '172.30.0.0/16', via: '203.0.113.2', device: undefined }])
    expect(await ip(host.namespace, 'route', 'show', '172.30.0.0/16')).toContain('via 203.0.113.2')
    expect(await host.namespace.readSysctl('net.ipv4.ip_forward')).toBe('1')
    expect(await host.namespace.readSysctl('net.ipv6.conf.all.forwarding')).toBe('1')
    await again.container('app')?.start({ netns: machine('app').namespace })
    const web = await again.network('docker0')?.attach({ name: 'web', netns: machine('web').namespace })
    await machine('web').serveTcp(80)
    await expectBlocked(machine('app'), web?.address ?? '', 80)
    await again.destroy()
    expect(await host.namespace.readSysctl('net.ipv4.ip_forward')).toBe('0')
    expect(await host.namespace.readSysctl('net.ipv6.conf.all.forwarding')).toBe('0')
    expect(await ip(host.namespace, 'route', 'show', '172.30.0.0/16')).toBe('')
  })
})

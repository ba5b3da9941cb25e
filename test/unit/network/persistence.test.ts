import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Persistence } from '../../../src/network/apply/persistence.js'
import { NO_USER_RULES } from '../../../src/network/apply/user-rules.js'
import { openStore } from '../../../src/store/index.js'
import { attach, network, registryWith, thrown } from './fixtures.js'
import { peer } from './view-fixtures.js'

const NETNS = { boot: '6f2c5d7e-0000-4000-8000-000000000000', file: '4:4026531840' }

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nfbridge-'))
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

describe('the state directory', () => {
  it('gives back what was written', () => {
    const docker0 = network({ mtu: 1400 })
    const registry = registryWith(docker0)
    const containers = attach(
      registry,
      docker0,
      { name: 'web', expose: ['80/tcp', '53/udp'], publish: ['127.0.0.1:8080:80', '9000-9001:90-91/udp'] },
      { name: 'app', links: ['web:db'], hostname: 'app.example' },
    )
    const remote = peer('172.30.0.0/16', '192.0.2.9')
    const persistence = new Persistence(openStore(directory))
    persistence.save({
      networks: new Map([['docker0', docker0]]),
      containers: new Map(containers.map((container) => [container.id, container])),
      peers: new Map([['172.30.0.0/16', remote]]),
    })
    persistence.savePools('docker0', registry.poolMemories(docker0))
    persistence.saveSysctl('net.ipv4.ip_forward', '0')
    persistence.saveSettings({ firewall: true, name: 'nfbridge', netns: NETNS })
    persistence.close()
    const again = new Persistence(openStore(directory))
    const loaded = again.load()
    again.close()
    expect(loaded.networks).toEqual([docker0])
    expect(loaded.peers).toEqual([remote])
    expect(loaded.firewall).toBe(true)
    expect(loaded.name).toBe('nfbridge')
    expect(loaded.netns).toEqual(NETNS)
    expect(new Set(loaded.containers)).toEqual(new Set(containers))
    expect(loaded.pools).toEqual(new Map([['docker0', registry.poolMemories(docker0)]]))
    expect(loaded.sysctls).toEqual(new Map([['net.ipv4.ip_forward', '0']]))
  })

  it.each(['..', '../../etc/passwd', 'a b', 'x'.repeat(255), '\u{1f433}'.repeat(127), 'sha256:x'])(
    'keeps a container of the id %s in a file of its own, there, and forgets it',
    (id) => {
      const docker0 = network()
      const registry = registryWith(docker0)
      const containers = attach(registry, docker0, { id }, { id: `y${Array.from(id).slice(1).join('')}` })
      const persistence = new Persistence(openStore(directory))
      persistence.save({ containers: new Map(containers.map((each) => [each.id, each])) })
      expect(readdirSync(join(directory, 'containers'))).toHaveLength(2)
      expect(new Set(persistence.load().containers)).toEqual(new Set(containers))
      persistence.save({ containers: new Map([[id, undefined]]) })
      expect(persistence.load().containers).toEqual(containers.slice(1))
      persistence.close()
    },
  )

  it('takes a file that names no host for one of the default name', () => {
    const store = openStore(directory)
    store.put('host', 'settings', { firewall: true })
    store.close()
    const persistence = new Persistence(openStore(directory))
    expect(persistence.load()).toMatchObject({ firewall: true, name: 'nfbridge' })
    persistence.close()
  })

  it('forgets what was removed', () => {
    const docker0 = network()
    const persistence = new Persistence(openStore(directory))
    persistence.save({ networks: new Map([['docker0', docker0]]) })
    const remote = peer('172.30.0.0/16', '192.0.2.9')
    persistence.save({ peers: new Map([['172.30.0.0/16', remote]]) })
    persistence.savePools('docker0', registryWith(docker0).poolMemories(docker0))
    expect(persistence.load()).toMatchObject({ networks: [docker0], peers: [remote] })
    persistence.save({
      networks: new Map([['docker0', undefined]]),
      peers: new Map([['172.30.0.0/16', undefined]]),
    })
    expect(persistence.load()).toEqual({
      networks: [],
      containers: [],
      peers: [],
      pools: new Map(),
      sysctls: new Map(),
      bridges: new Map(),
      userRules: NO_USER_RULES,
      firewall: undefined,
      name: undefined,
    })
  })

  it.each([
    ['no JSON', '{"name":'],
    ['null', 'null'],
    ['a wrong type', '{"name":1}'],
    ['a bad subnet', '{"name":"a","subnet":"10.0.0.1/8","gateway":"10.0.0.1","icc":true,"group":1}'],
  ])('says which file is damaged: %s', (_, text) => {
    const persistence = new Persistence(openStore(directory))
    persistence.save({ networks: new Map([['docker0', network()]]) })
    writeFileSync(join(directory, 'networks', 'docker0.json'), text)
    expect(thrown(() => persistence.load())).toMatchObject({
      code: 'NFB_STATE_DAMAGED',
      message: expect.stringContaining(join(directory, 'networks', 'docker0.json')),
    })
  })

  it('tells each byte that is changed, and each end that is cut off', () => {
    const docker0 = network({ mtu: 1400 })
    const registry = registryWith(docker0)
    const containers = attach(registry, docker0, { name: 'web', publish: ['8080:80'] })
    const persistence = new Persistence(openStore(directory))
    persistence.save({
      networks: new Map([['docker0', docker0]]),
      containers: new Map(containers.map((container) => [container.id, container])),
      peers: new Map([['172.30.0.0/16', peer('172.30.0.0/16', '192.0.2.9')]]),
    })
    persistence.savePools('docker0', registry.poolMemories(docker0))
    persistence.saveSysctl('net.ipv4.ip_forward', '0')
    persistence.saveSettings({ firewall: true, name: 'nfbridge', netns: NETNS })
    persistence.saveUserRules(NO_USER_RULES)
    const whole = persistence.load()
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && !['lock', 'reserve'].includes(entry.name),
    )
    expect(files).toHaveLength(7)
    for (const { parentPath, name } of files) {
      const file = join(parentPath, name)
      const bytes = readFileSync(file)
      const damaged = {
        code: 'NFB_STATE_DAMAGED',
        message: expect.stringContaining(name),
      }
      for (let offset = 0; offset < bytes.length; offset += 1) {
        for (const bits of [0x01, 0x20]) {
          const changed = Uint8Array.from(bytes)
          changed[offset] = (bytes[offset] ?? 0) ^ bits
          writeFileSync(file, changed)
          expect(
            thrown(() => persistence.load()),
            `${name}[${offset}]`,
          ).toMatchObject(damaged)
        }
        writeFileSync(file, bytes.subarray(0, offset))
        // Without the digest it is what somebody may have written by hand.
        if (isJson(bytes.subarray(0, offset))) expect(persistence.load()).toEqual(whole)
        else expect(thrown(() => persistence.load())).toMatchObject(damaged)
      }
      writeFileSync(file, bytes)
    }
  })

  it.each(['%.json', 'docker1.json', `${'a'.repeat(64)}.json`])(
    'holds a file that is not ours: %s',
    (name) => {
      const persistence = new Persistence(openStore(directory))
      persistence.save({ networks: new Map([['docker0', network()]]) })
      cpSync(join(directory, 'networks', 'docker0.json'), join(directory, 'networks', name))
      expect(thrown(() => persistence.load())).toMatchObject({
        code: 'NFB_STATE_DAMAGED',
        message: expect.stringContaining(name),
      })
    },
  )

  it('is open for one at a time', () => {
    const store = openStore(directory)
    expect(thrown(() => openStore(directory))).toMatchObject({
      code: 'NFB_BUSY',
      path: 'state',
      message: expect.stringContaining('this process'),
    })
    store.close()
    store.close()
    openStore(directory).close()
  })

  it('that can not be used is an error', () => {
    const file = join(directory, 'file')
    writeFileSync(file, '')
    expect(thrown(() => openStore(join(file, 'state')))).toMatchObject({ code: 'NFB_STATE_DAMAGED' })
  })

  it('is not needed', () => {
    const persistence = new Persistence(openStore(undefined))
    persistence.save({ networks: new Map([['docker0', network()]]) })
    expect(persistence.load().networks).toEqual([])
  })
})

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(bytes).toString('utf8'))
    return true
  } catch {
    return false
  }
}

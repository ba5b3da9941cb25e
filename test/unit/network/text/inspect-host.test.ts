import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { HostSettings } from '../../../../src/network/plan/network-settings.js'
import { type InspectionFacts, inspectHost } from '../../../../src/network/text/inspect-host.js'
import { hosts } from './hosts.js'
import { container, endpoint, network, pool, view } from './view.js'

const settings: HostSettings = {
  name: 'nfbridge',
  ipForward: true,
  forwardPolicy: 'auto',
  bridgeNetfilter: 'leave',
  offload: 'auto',
  firewall: true,
  existingRules: 'keep',
  hostBinding: undefined,
  defaultPools: [],
  state: undefined,
  wait: 0,
  netnsChanged: 'refuse',
}

const facts: InspectionFacts = {
  settings,
  forwarding: { ipv4: { on: true, turnedOn: true }, ipv6: { on: null, turnedOn: false } },
  offloading: { on: true, devices: ['eth0', 'docker0'], reason: null },
  userRules: { forward: [], inbound: [] },
  lost: [],
  statistics: { transactions: 3, linkRequests: 5, flowRequests: 0 },
}

describe.each(hosts)('$title', ({ title, view, facts: { userRules } }) => {
  const inspection = inspectHost(view, { ...facts, userRules })

  it('is told as data', () => {
    const file = new URL(`./golden/${title.replaceAll(/\W+/g, '-')}.json.txt`, import.meta.url)
    const printed = `${JSON.stringify(inspection, null, 2)}\n`
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, printed)
    expect(existsSync(file), 'UPDATE_GOLDEN=1').toBe(true)
    expect(printed).toBe(readFileSync(file, 'utf8'))
  })

  it('is JSON as it is: nothing is lost or changed by writing and reading it', () => {
    expect(JSON.parse(JSON.stringify(inspection))).toStrictEqual(inspection)
  })
})

describe('a stopped container and one with the host network', () => {
  const server = container('web', [endpoint('docker0', '172.17.0.2')], {
    state: 'stopped',
    exposed: [{ protocol: 'tcp', port: 80 }],
  })
  const client = container('app', [endpoint('docker0', '172.17.0.3')], {
    links: [{ server: server.id, alias: 'db' }],
    hostsFile: '/run/app/hosts',
  })
  const plain = container('monitor', [], { state: 'host' })
  const told = inspectHost(
    view({
      networks: [network('docker0', [pool('172.17.0.0/16', 'docker0', '172.17.0.1')])],
      containers: [server, client, plain],
    }),
    { ...facts, lost: [{ id: 'f'.repeat(64), name: 'gone', networks: ['docker0'] }] },
  )

  it('are told with their state; a link to the first too', () => {
    expect(told.containers.map(({ name, state, linkedFrom }) => ({ name, state, linkedFrom }))).toEqual([
      { name: 'web', state: 'stopped', linkedFrom: ['app'] },
      { name: 'app', state: 'running', linkedFrom: [] },
      { name: 'monitor', state: 'host', linkedFrom: [] },
    ])
    expect(told.containers[1]?.links).toEqual([
      { alias: 'db', container: 'web', id: server.id, state: 'stopped', ports: ['80/tcp'] },
    ])
    expect(told.networks[0]?.containers.map(({ name, ipv4 }) => [name, ipv4])).toEqual([
      ['web', '172.17.0.2'],
      ['app', '172.17.0.3'],
    ])
    expect(told.lost).toEqual([{ id: 'f'.repeat(64), name: 'gone', networks: ['docker0'] }])
  })
})

import { describe, expect, it } from 'vitest'
import { IPv4Address, parseAddress } from '../../../src/address/index.js'
import { type ConntrackEntry, isSelected } from '../../../src/conntrack/index.js'
import { planElements, type SetElement } from '../../../src/network/plan/elements.js'
import { revokedFlows, untranslatedFlows, type ViewStep } from '../../../src/network/plan/flows.js'
import type { ContainerRecord } from '../../../src/network/plan/records.js'
import { container, plan, viewOf } from './view-fixtures.js'

/** `client:port > server:port`, and who answers when the destination was translated. */
function entry(
  protocol: 'tcp' | 'udp',
  [source, sourcePort]: [string, number],
  [destination, destinationPort]: [string, number],
  answers: [string, number] = [destination, destinationPort],
): ConntrackEntry {
  const client = parseAddress(source)
  return {
    original: {
      source: client,
      destination: parseAddress(destination),
      protocol,
      sourcePort,
      destinationPort,
    },
    reply: {
      source: parseAddress(answers[0]),
      destination: client,
      protocol,
      sourcePort: answers[1],
      destinationPort: sourcePort,
    },
    protocol,
    status: answers[0] === destination ? [] : ['dnat'],
    mark: 0,
    timeout: 1,
    id: 1,
    zone: 0,
  }
}

const LINK: SetElement = { set: 'links', key: ['172.17.0.3', '172.17.0.2', 'tcp', 80] }
const ANY: SetElement = { set: 'publish_any', key: ['udp', 53], target: ['172.17.0.2', 5353] }
const ONE: SetElement = { set: 'publish', key: ['10.0.0.1', 'tcp', 8080], target: ['172.17.0.2', 80] }
const RANGE: SetElement = {
  set: 'publish_ranges',
  key: [{ prefix: { addr: '0.0.0.0', len: 0 } }, 'udp', { range: { first: 50, last: 59 } }],
  target: ['172.17.0.2'],
}
const REPLY: SetElement = { set: 'replies', key: ['172.17.0.2', '172.17.0.3', 'tcp', 4000] }
const PEER: SetElement = { set: 'peers', key: [{ prefix: { addr: '10.9.0.0', len: 16 } }] }

const OPEN = plan({ name: 'docker0', subnet: '172.17.0.0/16', icc: true })
const CLOSED = { ...OPEN, icc: false }

/** The container under an address of its own. */
function at(address: string, record: ContainerRecord): ContainerRecord {
  const ipv4 = IPv4Address.parse(address)
  return {
    ...record,
    endpoints: record.endpoints.map((endpoint) => ({ ...endpoint, ipv4, ipv6: undefined })),
  }
}

/** A step of which only the deleted elements matter. */
function deleting(...deleted: SetElement[]): ViewStep {
  const view = viewOf([CLOSED])
  return { before: view, after: view, touched: {}, change: { add: [], delete: deleted } }
}

/** The connections, of those given, that a step revokes. */
function revoked(step: ViewStep, all: readonly ConntrackEntry[]): ConntrackEntry[] {
  const selections = revokedFlows(step)
  return all.filter((each) => isSelected(each, selections))
}

const linked = entry('tcp', ['172.17.0.3', 4000], ['172.17.0.2', 80])
const otherPort = entry('tcp', ['172.17.0.3', 4000], ['172.17.0.2', 81])
const otherWay = entry('tcp', ['172.17.0.2', 4000], ['172.17.0.3', 80])
const published = entry('udp', ['10.9.9.9', 999], ['10.0.0.1', 53], ['172.17.0.2', 5353])
const publishedInRange = entry('udp', ['10.9.9.9', 999], ['10.0.0.1', 53], ['172.17.0.2', 53])
const publishedOnOne = entry('tcp', ['10.9.9.9', 999], ['10.0.0.1', 8080], ['172.17.0.2', 80])
const elsewhere = entry('tcp', ['10.9.9.9', 999], ['10.0.0.2', 8080], ['172.17.0.2', 80])
const fromPeer = entry('tcp', ['10.9.9.9', 999], ['172.17.0.2', 80])
const outward = entry('tcp', ['172.17.0.2', 999], ['192.0.2.1', 80])
const all = [
  linked,
  otherPort,
  otherWay,
  published,
  publishedInRange,
  publishedOnOne,
  elsewhere,
  fromPeer,
  outward,
]

describe('the connections that deleted elements allowed', () => {
  it.each<[string, SetElement[], ConntrackEntry[]]>([
    ["a link's, on its port and in its direction", [LINK], [linked]],
    ["a stateless link's second half", [REPLY], [otherWay]],
    ["a publication's on every address", [ANY], [published]],
    ["a publication's on one address", [ONE], [publishedOnOne]],
    ["a range's", [RANGE], [publishedInRange]],
    [
      "a peer's, to our containers",
      [PEER],
      [published, publishedInRange, publishedOnOne, elsewhere, fromPeer],
    ],
    ['several at once', [LINK, ONE], [linked, publishedOnOne]],
    ['none for elements that allow nothing', [{ set: 'bridges', key: ['docker0'] }], []],
  ])('%s', (_, deleted, expected) => {
    expect(revoked(deleting(...deleted), all)).toEqual(expected)
  })

  it('everything of an address that a container had and has not', () => {
    const web = at('172.17.0.5', container('web', ['docker0']))
    const address = String(web.endpoints[0]?.ipv4)
    const step: ViewStep = {
      before: viewOf([OPEN], [], [web]),
      after: viewOf([OPEN]),
      touched: { containers: ['web'] },
      change: { add: [], delete: [] },
    }
    const to = entry('tcp', ['172.17.9.9', 1], [address, 80])
    const from = entry('tcp', [address, 1], ['192.0.2.1', 80])
    expect(revoked(step, [to, from, outward])).toEqual([to, from])
    const value = IPv4Address.parse(address)
    expect(revokedFlows(step)[0]?.filters).toEqual([
      { family: 4, reply: { source: value } },
      { family: 4, original: { source: value } },
    ])
    const stays = { ...step, after: step.before }
    expect(revokedFlows(stays)).toEqual([])
  })

  it('of a network that closes: all within it but what links and published ports allow', () => {
    const web = {
      ...at('172.17.0.2', container('web', ['docker0'])),
      exposed: [{ protocol: 'tcp', port: 80 } as const],
    }
    const app = at('172.17.0.3', container('app', ['docker0'], ['web']))
    const [to, from] = [web, app].map(({ endpoints }) => String(endpoints[0]?.ipv4))
    if (to === undefined || from === undefined) throw new Error('addresses')
    const touched = { networks: ['docker0'], pairs: [['app', 'web'] as const] }
    const before = viewOf([OPEN], [], [web, app])
    const after = viewOf([CLOSED], [], [web, app])
    const step = { before, after, touched, change: planElements(before, after, touched) }
    const allowed = entry('tcp', [from, 5000], [to, 80])
    const forbidden = [
      entry('tcp', [from, 5000], [to, 81]),
      entry('udp', [from, 5000], [to, 80]),
      entry('tcp', [to, 5000], [from, 80]),
    ]
    const translated = entry('tcp', [from, 5000], ['203.0.113.1', 8080], [to, 81])
    expect(revoked(step, [allowed, ...forbidden, translated, outward])).toEqual(forbidden)
    const back = { before: after, after: before, touched, change: planElements(after, before, touched) }
    expect(back.change.delete.map(({ set }) => set)).toContain('links')
    expect(revoked(back, [allowed, ...forbidden])).toEqual([])
  })

  it('are told in filters, each of which says all that it means', () => {
    const [source, destination] = ['172.17.0.3', '172.17.0.2'].map((each) => parseAddress(each))
    expect(revokedFlows(deleting(LINK, ONE))).toEqual([
      {
        filters: [
          { family: 4, protocol: 'tcp', original: { source, destination, destinationPort: 80 } },
          {
            family: 4,
            protocol: 'tcp',
            original: { destination: parseAddress('10.0.0.1'), destinationPort: 8080 },
            reply: { source: destination, sourcePort: 80 },
          },
        ],
      },
    ])
  })

  it('of IPv6 are looked for apart', () => {
    const link6: SetElement = { set: 'links6', key: ['fd00::3', 'fd00::2', 'tcp', 80] }
    const selections = revokedFlows(deleting(link6))
    expect(selections.flatMap(({ filters }) => filters.map(({ family }) => family))).toEqual([6])
    expect(isSelected(entry('tcp', ['fd00::3', 1], ['fd00::2', 80]), selections)).toBe(true)
    expect(isSelected(entry('tcp', ['fd00::3', 1], ['fd00::2', 81]), selections)).toBe(false)
  })
})

describe('datagrams that were tracked before their port was published', () => {
  const before = entry('udp', ['10.9.9.9', 999], ['10.0.0.1', 53])

  it('are found by port, unless they are translated', () => {
    const selections = untranslatedFlows([ANY])
    expect([before, published].map((each) => isSelected(each, selections))).toEqual([true, false])
  })

  it('are found in a range', () => {
    const selections = untranslatedFlows([RANGE])
    expect(isSelected(before, selections)).toBe(true)
    expect(isSelected(entry('udp', ['10.9.9.9', 999], ['10.0.0.1', 60]), selections)).toBe(false)
  })

  it('TCP has none: its first packet decides', () => {
    expect(untranslatedFlows([ONE])).toEqual([])
  })
})

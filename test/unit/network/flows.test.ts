import { describe, expect, it } from 'vitest'
import { IPv4Address } from '../../../src/address/index.js'
import type { ConntrackEntry } from '../../../src/conntrack/index.js'
import type { SetElement } from '../../../src/network/plan/elements.js'
import { revokedFlows, untranslatedFlows } from '../../../src/network/plan/flows.js'

/** `client:port > server:port`, and who answers when the destination was translated. */
function entry(
  protocol: 'tcp' | 'udp',
  [source, sourcePort]: [string, number],
  [destination, destinationPort]: [string, number],
  answers: [string, number] = [destination, destinationPort],
): ConntrackEntry {
  const client = IPv4Address.parse(source)
  return {
    original: {
      source: client,
      destination: IPv4Address.parse(destination),
      protocol,
      sourcePort,
      destinationPort,
    },
    reply: {
      source: IPv4Address.parse(answers[0]),
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
const SENDER: SetElement = { set: 'senders', key: ['veth0', '02:42:ac:11:00:02', '172.17.0.2'] }
const ANY: SetElement = { set: 'publish_any', key: ['udp', 53], target: ['172.17.0.2', 5353] }
const ONE: SetElement = { set: 'publish', key: ['10.0.0.1', 'tcp', 8080], target: ['172.17.0.2', 80] }

describe('the connections that deleted elements allowed', () => {
  const linked = entry('tcp', ['172.17.0.3', 4000], ['172.17.0.2', 80])
  const otherPort = entry('tcp', ['172.17.0.3', 4000], ['172.17.0.2', 81])
  const otherWay = entry('tcp', ['172.17.0.2', 4000], ['172.17.0.3', 80])
  const published = entry('udp', ['10.9.9.9', 999], ['10.0.0.1', 53], ['172.17.0.2', 5353])
  const publishedOnOne = entry('tcp', ['10.9.9.9', 999], ['10.0.0.1', 8080], ['172.17.0.2', 80])
  const elsewhere = entry('tcp', ['10.9.9.9', 999], ['10.0.0.2', 8080], ['172.17.0.2', 80])
  const all = [linked, otherPort, otherWay, published, publishedOnOne, elsewhere]

  it.each<[string, SetElement[], ConntrackEntry[]]>([
    ["a link's, on its port and in its direction", [LINK], [linked]],
    ["a publication's on every address", [ANY], [published]],
    ["a publication's on one address", [ONE], [publishedOnOne]],
    ['everything of a container that is gone', [SENDER], all],
    ['several at once', [LINK, ONE], [linked, publishedOnOne]],
  ])('%s', (_, deleted, expected) => {
    const selection = revokedFlows(deleted)
    expect(all.filter((each) => selection?.test(each))).toEqual(expected)
  })

  it('none for elements that allow nothing', () => {
    expect(
      revokedFlows([
        { set: 'bridges', key: ['docker0'] },
        { set: 'ports', key: ['veth0'] },
      ]),
    ).toBeUndefined()
  })

  it('lets the kernel filter by address where one is concerned, and lists once where many are', () => {
    const server = IPv4Address.parse('172.17.0.2')
    expect(revokedFlows([LINK])?.filter).toEqual({ reply: { source: server } })
    expect(revokedFlows([LINK, SENDER])?.filter).toEqual({ address: server })
    const another: SetElement = { set: 'senders', key: ['veth1', '02:42:ac:11:00:09', '172.17.0.9'] }
    expect(revokedFlows([SENDER, another])?.filter).toEqual({ family: 4 })
  })
})

describe('datagrams that were tracked before their port was published', () => {
  it('are found by port, unless they are translated', () => {
    const before = entry('udp', ['10.9.9.9', 999], ['10.0.0.1', 53])
    const translated = entry('udp', ['10.9.9.9', 999], ['10.0.0.1', 53], ['172.17.0.2', 5353])
    const selection = untranslatedFlows([ANY])
    expect([before, translated].map((each) => selection?.test(each))).toEqual([true, false])
    expect(selection?.filter).toEqual({ family: 4, protocol: 'udp', original: { destinationPort: 53 } })
  })

  it('TCP has none: its first packet decides', () => {
    expect(untranslatedFlows([ONE])).toBeUndefined()
  })
})

/** ARP and neighbour discovery between containers that may speak only as they are linked: nothing but what finding each other needs. */
import { describe, expect, it } from 'vitest'
import { FrameSocket } from '../../../lab/frame-socket.js'
import { IPv6Address, MacAddress } from '../../../src/address/index.js'
import type { Container } from '../../../src/index.js'
import { ip, nft } from '../../support/tools.js'
import type { Sending } from './arrivals.js'
import { checksum, macBytes, observe, sendFrames, word } from './frames.js'
import { createLinkSetting, party } from './link-setting.js'
import { addressBytes } from './packets.js'

const EVERYBODY = 'ff:ff:ff:ff:ff:ff'
const NOBODY = '00:00:00:00:00:00'
const SECRET = [...Buffer.from('secret')]

interface Arp {
  readonly operation?: number
  readonly to?: string
  readonly targetMac?: string
  readonly target: string
  /** Behind the 28 bytes of the message. */
  readonly behind?: readonly number[]
  /** Type of hardware, of protocol, and the lengths of their addresses. */
  readonly header?: readonly number[]
}

/** From a container's own addresses. */
function arp(from: Container, options: Arp): Sending {
  const { operation = 1, to = EVERYBODY, targetMac = NOBODY, target, behind = [], header } = options
  const message = [
    ...(header ?? [0, 1, 8, 0, 6, 4]),
    ...word(operation),
    ...macBytes(from.mac),
    ...addressBytes(from.address),
    ...macBytes(targetMac),
    ...addressBytes(target),
    ...behind,
  ]
  return framed(to, from.mac, 0x0806, message)
}

interface Discovery {
  /** 133, a router solicitation, is about no address. */
  readonly type: 133 | 135 | 136
  /** Where the IP packet goes, and the frame. */
  readonly destination: string
  readonly to?: string
  readonly flags?: number
  readonly code?: number
  readonly target?: string
  readonly option?: readonly number[]
  readonly behind?: readonly number[]
  readonly flowLabel?: number
}

function discovery(from: Container, options: Discovery): Sending {
  const { type, destination, flags = 0, code = 0, target, option = [], behind = [], flowLabel = 0 } = options
  const about = target === undefined ? [] : addressBytes(target)
  const message = [type, code, 0, 0, flags, 0, 0, 0, ...about, ...option]
  const source = addressBytes(from.ipv6Address ?? '')
  const to = addressBytes(destination)
  message.splice(
    2,
    2,
    ...word(checksum([...source, ...to, 0, 0, ...word(message.length), 0, 0, 0, 58, ...message])),
  )
  const header = [0x60, 0, ...word(flowLabel), ...word(message.length), 58, 255]
  const mac = options.to ?? MacAddress.ofMulticast(IPv6Address.parse(destination)).toString()
  return framed(mac, from.mac, 0x86dd, [...header, ...source, ...to, ...message, ...behind])
}

function framed(to: string, from: string, type: number, message: readonly number[]): Sending {
  const frame = Uint8Array.from([...macBytes(to), ...macBytes(from), ...word(type), ...message])
  return { frames: [frame], mark: Uint8Array.from(message) }
}

/** What finds another container's MAC address, and what only looks like it. */
function arpOf(app: Container, web: Container, other: Container) {
  const reply = { operation: 2, to: web.mac, targetMac: web.mac, target: web.address }
  const padding = new Array<number>(18).fill(0)
  return {
    right: {
      'a question to who had the address': arp(app, { to: web.mac, target: web.address }),
      'an answer': arp(app, reply),
      'an answer filled up by a network card': arp(app, { ...reply, behind: padding }),
      'its own address, as an answer to all': arp(app, {
        operation: 2,
        target: app.address,
        targetMac: app.mac,
      }),
    },
    wrong: {
      'an answer with 1,400 bytes behind it': arp(app, { ...reply, behind: new Array(1400).fill(7) }),
      'an answer with a byte behind it': arp(app, { ...reply, behind: [7] }),
      'an answer with something in its filling': arp(app, {
        ...reply,
        behind: [...padding.slice(6), ...SECRET],
      }),
      'an answer about another MAC address': arp(app, { ...reply, targetMac: macOf(SECRET) }),
      'an answer to another address': arp(app, { ...reply, target: other.address }),
      'a question for an address that nobody has': arp(app, { target: '172.17.99.99' }),
      "a question to web for another's address": arp(app, { to: web.mac, target: other.address }),
      'a question with a MAC address': arp(app, {
        to: web.mac,
        target: web.address,
        targetMac: macOf(SECRET),
      }),
      'another operation': arp(app, { ...reply, operation: 9 }),
      'another type of hardware': arp(app, { ...reply, header: [0, 6, 8, 0, 6, 4] }),
    },
  }
}

function macOf(bytes: readonly number[]): string {
  return MacAddress.fromBytes(Uint8Array.from([2, ...bytes.slice(0, 5)])).toString()
}

function discoveryOf(app: Container, web: Container, other: Container) {
  const [own, its, others] = [app, web, other].map((each) => party(each, 6).address)
  if (own === undefined || its === undefined || others === undefined) throw new Error('no IPv6 address')
  const node = IPv6Address.parse(its).solicitedNode.toString()
  const option = (type: number, mac: string): number[] => [type, 1, ...macBytes(mac)]
  const ask = { type: 135, destination: node, target: its, option: option(1, app.mac) } as const
  const tell = {
    type: 136,
    destination: its,
    to: web.mac,
    flags: 0x60,
    target: own,
    option: option(2, app.mac),
  } as const
  return {
    right: {
      'a question by multicast': discovery(app, ask),
      'a question to who had the address': discovery(app, {
        ...ask,
        destination: its,
        to: web.mac,
        option: [],
      }),
      'an answer': discovery(app, tell),
      'its own address, to all': discovery(app, {
        ...tell,
        destination: 'ff02::1',
        to: '33:33:00:00:00:01',
        flags: 0x20,
      }),
    },
    wrong: {
      'a question with something behind it': discovery(app, { ...ask, behind: SECRET }),
      'a question with another option': discovery(app, { ...ask, option: [14, 1, ...SECRET] }),
      'a question with a large option': discovery(app, {
        ...ask,
        option: [253, 4, ...new Array<number>(30).fill(7)],
      }),
      "a question with another's MAC address": discovery(app, { ...ask, option: option(1, macOf(SECRET)) }),
      'a question with a flow label': discovery(app, { ...ask, flowLabel: 0x7777 }),
      'a question with a code': discovery(app, { ...ask, code: 7 }),
      'a question with flags': discovery(app, { ...ask, flags: 7 }),
      "a question to web for another's address": discovery(app, { ...ask, target: others }),
      'a question to another group': discovery(app, { ...ask, destination: 'ff02::1:ff73:6563' }),
      'an answer with reserved flags': discovery(app, { ...tell, flags: 0x61 }),
      'an answer of a router': discovery(app, { ...tell, flags: 0xe0 }),
      'an answer with something behind it': discovery(app, { ...tell, behind: SECRET }),
      "an answer with another's MAC address": discovery(app, { ...tell, option: option(2, macOf(SECRET)) }),
      'an answer to another address': discovery(app, { ...tell, destination: others }),
    },
  }
}

describe.each([{ tracking: false }, { tracking: true }])(
  'without icc, tracking $tracking',
  ({ tracking }) => {
    it('ARP and neighbour discovery carry nothing from one container to another', async () => {
      const { attach, arrive, host } = await createLinkSetting(['web', 'app', 'other'], { tracking })
      const web = await attach('web')
      const app = await attach('app')
      const other = await attach('other')
      const four = arpOf(app, web, other)
      const six = discoveryOf(app, web, other)
      const sent = prefixed({
        ARP: four.right,
        'ARP, wrong': four.wrong,
        ND: six.right,
        'ND, wrong': six.wrong,
      })
      const right = Object.keys(sent).filter((name) => !name.includes('wrong'))
      expect(await arrive('app', 'web', sent)).toEqual(right)
      // Without the rules all of them do, but that br_netfilter cuts off what is behind a packet.
      const uncut = Object.keys(sent).filter((name) => !tracking || !/^ND.*something behind it$/.test(name))
      for (const chain of RESOLUTION_CHAINS)
        await nft(host.namespace, `insert rule bridge nfbridge ${chain} accept`)
      expect(await arrive('app', 'web', sent)).toEqual(uncut)
    })

    it('a question goes to the port of who has the address alone', async () => {
      const { attach, arrive, host } = await createLinkSetting(['web', 'app', 'other'], { tracking })
      // Where one may send as others, the bridge does not answer for it.
      const web = await attach('web', { allowForgedSource: true })
      const app = await attach('app')
      const other = await attach('other')
      const sent = {
        ARP: arp(app, { target: web.address }),
        ND: discoveryOf(app, web, other).right['a question by multicast'],
      }
      expect(await arrive('app', 'web', sent)).toEqual(['ARP', 'ND'])
      expect(await arrive('app', 'other', sent)).toEqual([])
      for (const chain of RESOLUTION_CHAINS)
        await nft(host.namespace, `insert rule bridge nfbridge ${chain} accept`)
      expect(await arrive('app', 'other', sent)).toEqual(['ARP', 'ND'])
    })
  },
)

it.each([true, false])(
  'the host believes nobody that its address has another MAC address; icc %s',
  async (icc) => {
    const { attach, host, machine, network } = await createLinkSetting(['app'], { icc })
    const app = await attach('app')
    const own = party(app, 6).address
    const gateway = network.gateways.find((each) => each.includes(':')) ?? ''
    const bridge = JSON.parse(await ip(host.namespace, '-j', 'link', 'show', network.name))[0].address
    const other = macOf(SECRET)
    const about = (type: number): readonly number[] => [type, 1, ...macBytes(other)]
    const messages = [
      discovery(app, { type: 135, destination: gateway, to: bridge, target: gateway, option: about(1) }),
      discovery(app, {
        type: 136,
        destination: gateway,
        to: bridge,
        flags: 0x60,
        target: own,
        option: about(2),
      }),
      // One that is passed over comes first.
      discovery(app, {
        type: 135,
        destination: gateway,
        to: bridge,
        target: gateway,
        option: [14, 1, ...SECRET, ...about(1)],
      }),
      discovery(app, { type: 133, destination: 'ff02::2', option: about(1) }),
      discovery(app, { type: 133, destination: gateway, to: bridge, option: about(1) }),
      discovery(app, {
        type: 133,
        destination: gateway,
        to: bridge,
        option: [14, 1, ...SECRET, ...about(1)],
      }),
    ]
    const believed = async (): Promise<boolean[]> => {
      const results: boolean[] = []
      for (const { frames } of messages) {
        await ip(
          host.namespace,
          'neigh',
          'replace',
          own,
          'dev',
          network.name,
          'lladdr',
          app.mac,
          'nud',
          'stale',
        )
        await sendFrames(machine('app').namespace, 'eth0', frames)
        results.push((await ip(host.namespace, 'neigh', 'show', own)).includes(other))
      }
      return results
    }
    const each = (value: boolean): boolean[] => messages.map(() => value)
    expect(await believed()).toEqual(each(false))
    for (const chain of ['neighbour_discovery', 'router_solicitations'])
      await nft(host.namespace, `insert rule bridge nfbridge ${chain} accept`)
    expect(await believed()).toEqual(each(true))
  },
)

it('who looks for a router is heard, and says nothing else', async () => {
  const { attach, host, machine, network } = await createLinkSetting(['app'])
  const app = await attach('app')
  const own = [1, 1, ...macBytes(app.mac)]
  const gateway = network.gateways.find((each) => each.includes(':')) ?? ''
  const [{ address: to }] = JSON.parse(await ip(host.namespace, '-j', 'link', 'show', network.name))
  const ask = { type: 133, destination: gateway, to } as const
  // The container's own kernel may ask as well.
  const heard = async ({ frames, mark }: Sending): Promise<number> => {
    let count = 0
    await observe(
      [FrameSocket.listener(host.namespace, 0x86dd, network.name)],
      () => sendFrames(machine('app').namespace, 'eth0', frames),
      ({ bytes }) => {
        if (Buffer.from(bytes).includes(Buffer.from(mark))) count++
      },
    )
    return count
  }
  for (const option of [[], own]) expect(await heard(discovery(app, { ...ask, option }))).toBe(1)
  const wrong = {
    'with something behind it': discovery(app, { ...ask, option: own, behind: SECRET }),
    'with another option': discovery(app, { ...ask, option: [14, 1, ...SECRET] }),
    'with a large option': discovery(app, { ...ask, option: [253, 4, ...new Array<number>(30).fill(7)] }),
    'with two options': discovery(app, { ...ask, option: [...own, ...own] }),
    'with a flow label': discovery(app, { ...ask, flowLabel: 0x7777 }),
    'with a code': discovery(app, { ...ask, code: 7 }),
    'with something where nothing is': discovery(app, { ...ask, flags: 7 }),
  }
  for (const [name, sent] of Object.entries(wrong)) expect(await heard(sent), name).toBe(0)
  await nft(host.namespace, 'insert rule bridge nfbridge router_solicitations accept')
  expect(await heard(wrong['with another option'])).toBe(1)
})

it('the host routes none from one container to another', async () => {
  const { attach, arrive, host, network } = await createLinkSetting(['web', 'app'])
  const web = await attach('web')
  const app = await attach('app')
  const { address } = JSON.parse(await ip(host.namespace, '-j', 'link', 'show', network.name))[0]
  const asked = discovery(app, {
    type: 135,
    destination: party(web, 6).address,
    to: address,
    target: 'fd00:17::5e',
  })
  // It arrives with one hop less.
  const routed = { frames: asked.frames, mark: asked.mark.slice(8) }
  expect(await arrive('app', 'web', { routed })).toEqual([])
  await nft(host.namespace, 'insert rule inet nfbridge same_network accept')
  expect(await arrive('app', 'web', { routed })).toEqual(['routed'])
})

/** Those that say what passes. */
const RESOLUTION_CHAINS = ['address_resolution', 'neighbour_discovery', 'solicitations', 'advertisements']

function prefixed(
  groups: Readonly<Record<string, Readonly<Record<string, Sending>>>>,
): Record<string, Sending> {
  return Object.fromEntries(
    Object.entries(groups).flatMap(([group, sent]) =>
      Object.entries(sent).map(([name, each]) => [`${group}: ${name}`, each]),
    ),
  )
}

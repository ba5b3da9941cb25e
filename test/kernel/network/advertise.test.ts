import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { IPv4Address, MacAddress } from '../../../src/address/index.js'
import type { Namespace } from '../../../src/index.js'
import { announce } from '../../../src/netns/index.js'
import { cleanUp, createSetting, failureOf, openHost } from './setting.js'

interface Announcement {
  /** `arp 172.17.0.3` or `na fd00:17::3`. */
  readonly what: string
  /** When the kernel got it, in milliseconds. */
  readonly at: number
}

/** What an interface gets of ARP replies and neighbour advertisements to everybody. */
const LISTENER = `
import ipaddress, socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(socket.SOL_SOCKET, 35, 1)
s.bind((sys.argv[1], 0))
print('ready', flush=True)
while True:
    frame, extra, _, _ = s.recvmsg(65535, 512)
    seconds, nanoseconds = next(struct.unpack('qq', data[:16]) for _, kind, data in extra if kind == 35)
    to, kind = frame[:6], frame[12:14]
    if kind == b'\\x08\\x06' and frame[20:22] == b'\\x00\\x02' and to == b'\\xff' * 6:
        what = 'arp ' + str(ipaddress.ip_address(frame[28:32]))
    elif kind == b'\\x86\\xdd' and frame[54] == 136 and to == b'\\x33\\x33\\x00\\x00\\x00\\x01':
        what = 'na ' + str(ipaddress.ip_address(frame[62:78]))
    else:
        continue
    print(what, seconds * 1000 + nanoseconds / 1e6, flush=True)`

/** Listens until the test ends. */
async function listen(namespace: Namespace, device: string) {
  const arguments_ = [`--net=${namespace.path()}`, 'python3', '-c', LISTENER, device]
  const child = spawn('nsenter', arguments_, { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanUp(async () => {
    child.kill()
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  await lines.next()
  const seen: Announcement[] = []
  const times = (what: string): number[] => seen.filter((each) => each.what === what).map(({ at }) => at)
  return {
    times,
    /** Waits until something was announced so many times. */
    async until(what: string, count: number): Promise<void> {
      while (times(what).length < count) {
        const { value, done } = await lines.next()
        if (done) throw new Error('the listener ended')
        const [kind, address, at] = String(value).split(' ')
        seen.push({ what: `${kind} ${address}`, at: Number(at) })
      }
    },
  }
}

const INTERVAL = 150
const pools = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]

it('a container that comes up is announced as often as the network says, with both families, and no more', async () => {
  const setting = await createSetting(['witness', 'web', 'app', 'last'], {
    subnet: undefined,
    pools,
    advertise: { interval: INTERVAL },
  })
  const { attach, machine } = setting
  await attach('witness')
  const witness = await listen(machine('witness').namespace, 'eth0')
  const web = await attach('web', { addresses: ['172.17.0.20', '172.17.0.21'] })
  const own = [...(web.addressOn('docker0')?.addresses ?? [])]
  expect(own).toHaveLength(3)
  for (const address of own) {
    const what = `${address.includes(':') ? 'na' : 'arp'} ${address}`
    await witness.until(what, 3)
    const [first = 0, second = 0, third = 0] = witness.times(what)
    // A timer may end a millisecond early.
    expect(Math.min(second - first, third - second)).toBeGreaterThan(INTERVAL - 2)
  }
  // One that leaves is not announced any more.
  const app = await attach('app', { address: '172.17.0.30' })
  await witness.until('arp 172.17.0.30', 1)
  await app.detach()
  const last = await attach('last')
  await witness.until(`arp ${last.address}`, 1)
  const leaving = witness.times('arp 172.17.0.30').length
  await witness.until(`arp ${last.address}`, 3)
  expect(witness.times('arp 172.17.0.30')).toHaveLength(leaving)
  expect(leaving).toBeLessThan(3)
  for (const address of own.filter((each) => !each.includes(':')))
    expect(witness.times(`arp ${address}`)).toHaveLength(3)
})

it('with a count of 0 nobody is announced, not even who has an address that was another one', async () => {
  const advertised = await createSetting(['witness', 'web', 'app'], { advertise: { count: 0 } })
  const { attach, machine, bridgeHost, host } = advertised
  await attach('witness')
  const witness = await listen(machine('witness').namespace, 'eth0')
  const web = await attach('web', { address: '172.17.0.20' })
  await web.detach()
  await attach('app', { address: '172.17.0.20', mac: '02:00:00:00:00:20' })
  // What would have been sent came before this.
  const sentinel = {
    mac: MacAddress.parse('02:00:00:00:00:99'),
    addresses: [IPv4Address.parse('172.17.0.99')],
  }
  await announce(host.namespace, { device: 'docker0', ...sentinel })
  await witness.until('arp 172.17.0.99', 1)
  expect(witness.times('arp 172.17.0.20')).toEqual([])
  // Without the setting it is told of who has another's address now.
  const plain = await bridgeHost.createNetwork({ name: 'plain', subnet: '10.9.0.0/24' })
  await bridgeHost.container('witness')?.connect(plain)
  const other = await listen(machine('witness').namespace, 'eth1')
  const former = await attach('web', { address: '10.9.0.20' }, plain)
  await former.detach()
  await bridgeHost.container('app')?.connect(plain, { address: '10.9.0.20', mac: '02:00:00:00:00:21' })
  await other.until('arp 10.9.0.20', 1)
})

it('is remembered and told, and refused where it is none', async () => {
  const state = mkdtempSync(join(tmpdir(), 'nfbridge-advertise-'))
  cleanUp(async () => rmSync(state, { recursive: true, force: true }))
  const setting = await createSetting([], { advertise: { count: 2 } }, { state })
  const before = await setting.bridgeHost.inspect()
  expect(before.networks).toMatchObject([{ advertise: { count: 2, interval: 1000 } }])
  const refused: [object, string][] = [
    [{ count: 4 }, 'advertise.count'],
    [{ interval: 99 }, 'advertise.interval'],
    [{ often: 1 }, 'advertise.often'],
  ]
  for (const [advertise, path] of refused)
    expect(await failureOf(setting.bridgeHost.createNetwork({ name: 'x', advertise }))).toMatchObject({
      code: 'NFB_INVALID_ARGUMENT',
      path,
    })
  await setting.bridgeHost.close()
  expect((await (await openHost(setting.host, { state })).inspect()).networks).toEqual(before.networks)
})

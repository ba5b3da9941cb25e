import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import type { Machine } from '../../lab/machine.js'
import { connect } from '../../lab/wiring.js'
import { Nft, type NftTrace, type NftTraces } from '../../src/nft/index.js'
import { testMachines } from '../support/machines.js'
import { closeAfterEach } from '../support/namespaces.js'
import { ip, nftFile } from '../support/tools.js'

const keep = closeAfterEach()

/** A server, and a client that reaches it. */
async function pair(): Promise<{ client: Machine; server: Machine; handle: Nft }> {
  const [client, server] = await testMachines(['client', 'server'])
  await connect(
    { machine: client, interface: 'eth0', address: ['192.0.2.1/24', 'fd00:2::1/64'] },
    { machine: server, interface: 'eth0', address: ['192.0.2.2/24', 'fd00:2::2/64'] },
  )
  return { client, server, handle: keep(await Nft.open({ netns: server.namespace })) }
}

const rules = `table inet t {
  chain input { type filter hook input priority 0; policy drop;
    meta l4proto ipv6-icmp accept
    udp dport { 4000, 4001 } meta nftrace set 1
    udp dport 4000 jump web
    udp dport 4001 meta mark set 7
  }
  chain web {
    ip saddr 192.0.2.1 return
    accept
  }
}`

/** The steps of the first packet that comes to its policy or verdict. */
async function stepsOf(traces: NftTraces, last: (trace: NftTrace) => boolean): Promise<NftTrace[]> {
  const steps: NftTrace[] = []
  for (;;) {
    const { value, done } = await traces.next()
    if (done) throw new Error('the traces ended')
    steps.push(value)
    if (last(value)) return steps
  }
}

test('a packet is followed through the chains, as nft monitor trace follows it', async () => {
  const { client, server, handle } = await pair()
  await server.serveUdp(4000)
  await nftFile(server.namespace, rules)
  const traces = keep(await handle.traces({ rules: true }))
  const monitor = spawn('nsenter', [`--net=${server.namespace.path()}`, '--', 'nft', 'monitor', 'trace'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    let printed = ''
    monitor.stdout.on('data', (text: Buffer) => {
      printed += text.toString()
    })
    // nft says nothing when it is ready: packets are sent until it has told of one.
    const policy = (trace: NftTrace): boolean => trace.kind === 'policy'
    let steps: NftTrace[] = []
    const packets = new Map<number, NftTrace[]>()
    while (!printed.includes('policy drop')) {
      await client.probeUdp('192.0.2.2', 4000, { timeoutMs: 50 })
      steps = await stepsOf(traces, policy)
      const [first] = steps
      if (first?.kind === 'rule') packets.set(first.id, steps)
    }
    // Newer kernels tell the end of the chain too, which nft does not print.
    const told = steps.filter(({ kind }) => kind !== 'end')
    expect(told.map(({ kind }) => kind)).toEqual(['rule', 'rule', 'rule', 'policy'])
    const links = JSON.parse(await ip(server.namespace, '-j', 'link', 'show', 'eth0'))
    const [first, jump, back, end] = told
    expect(first).toMatchObject({
      kind: 'rule',
      family: 'inet',
      table: 't',
      chain: 'input',
      nfproto: 2,
      iif: links[0].ifindex,
      verdict: { continue: null },
      rule: { expr: expect.any(Array) },
      packet: {
        ether: { daddr: links[0].address, type: 0x0800 },
        ip: { saddr: '192.0.2.1', daddr: '192.0.2.2', protocol: 17, ttl: 64 },
        ports: { dport: 4000 },
      },
    })
    expect(jump).toMatchObject({ chain: 'input', verdict: { jump: { target: 'web' } } })
    expect(jump).not.toHaveProperty('packet')
    expect(back).toMatchObject({ chain: 'web', verdict: { return: null } })
    expect(back).toMatchObject({ rule: { expr: [{ match: { right: '192.0.2.1' } }, { return: null }] } })
    expect(end).toMatchObject({ kind: 'policy', chain: 'input', policy: 'drop' })

    // nft prints a line for each of our steps, and one for the headers.
    await expect.poll(() => printed.split('policy drop').length).toBeGreaterThan(1)
    const lines = printed.split('\n').filter((line) => line.startsWith('trace id'))
    const [id = ''] = /[0-9a-f]{8}/.exec(lines[0] ?? '') ?? []
    const ours = (packets.get(Number.parseInt(id, 16)) ?? []).filter(({ kind }) => kind !== 'end')
    const kinds = lines.flatMap((line) =>
      line.includes(id) ? [/(packet|rule|policy|return)/.exec(line)?.[0]] : [],
    )
    expect(kinds).toEqual(['packet', ...ours.map(({ kind }) => kind)])
  } finally {
    monitor.kill()
  }
})

test('IPv6 and marks', async () => {
  const { client, server, handle } = await pair()
  await nftFile(server.namespace, rules)
  const traces = keep(await handle.traces())
  await client.probeUdp('fd00:2::2', 4001, { timeoutMs: 50 })
  const steps = await stepsOf(traces, (trace) => trace.kind === 'policy')
  const [first, second, third] = steps.filter(({ kind }) => kind !== 'end')
  expect(first).toMatchObject({
    nfproto: 10,
    packet: { ip6: { saddr: 'fd00:2::1', daddr: 'fd00:2::2', nexthdr: 17 }, ports: { dport: 4001 } },
  })
  expect(first).not.toHaveProperty('rule')
  expect(second).toMatchObject({ kind: 'rule', verdict: { continue: null }, mark: 7 })
  expect(third).toMatchObject({ kind: 'policy', mark: 7, policy: 'drop' })

  traces.close()
  expect(await traces.next()).toEqual({ done: true, value: undefined })
})

/** What the host forwards for others, beside `forwardPolicy: 'auto'`, which drops it. */
import { expect, it } from 'vitest'
import { answerLimit, type Machine } from '../../../lab/machine.js'
import { connect, untilRunning } from '../../../lab/wiring.js'
import type { Finding, HostOptions } from '../../../src/index.js'
import { ip, nftFile, runIn } from '../../support/tools.js'
import { createMachines, openHost } from './setting.js'

interface Town {
  readonly host: Machine
  readonly outside: Machine
  readonly vm: Machine
}

/** A host with a virtual machine behind a bridge, whose way out a rule of somebody else translates. */
async function createTown(bridge: string, translated = true): Promise<Town> {
  const { host, outside, machines } = await createMachines('vm')
  const vm = machines.get('vm')
  if (!vm) throw new Error('a virtual machine')
  await ip(host.namespace, 'link', 'add', bridge, 'type', 'bridge')
  await ip(host.namespace, 'address', 'add', '192.168.122.1/24', 'dev', bridge)
  await ip(host.namespace, 'link', 'set', bridge, 'up')
  await connect(
    { machine: host, interface: 'vnet0' },
    {
      machine: vm,
      interface: 'eth0',
      address: '192.168.122.2/24',
      routes: [{ destination: 'default', gateway: '192.168.122.1' }],
    },
  )
  await ip(host.namespace, 'link', 'set', 'vnet0', 'master', bridge)
  await untilRunning(host, bridge)
  if (translated)
    await nftFile(
      host.namespace,
      'table ip theirs { chain p { type nat hook postrouting priority srcnat; ip saddr 192.168.122.0/24 oifname "uplink" masquerade; }; }',
    )
  await outside.serveTcp(80)
  return { host, outside, vm }
}

async function isReached({ vm }: Town, expected: boolean): Promise<boolean> {
  const probe = await vm.probeTcp('203.0.113.2', 80, { timeoutMs: answerLimit(expected) })
  return probe.outcome === 'reached'
}

async function runRemedy({ host }: Town, { remedy }: Finding): Promise<void> {
  for (const command of /`([^`]+)`/.exec(remedy)?.[1]?.split(' && ') ?? [])
    await runIn(host.namespace, 'sh', ['-c', command])
}

const NETWORK = { name: 'docker0', subnet: '172.17.0.0/16' }

it('is told when the host is opened, naming interface and owner, and what prevents it', async () => {
  const town = await createTown('virbr0')
  const first = await openHost(town.host)
  expect(first.findings).toMatchObject([
    { code: 'policy-drops-foreign', severity: 'warning', subject: 'virbr0' },
  ])
  const [finding] = first.findings
  expect(finding?.message).toContain('libvirt')
  expect(await first.check()).toEqual([])
  await first.close()
  if (finding) await runRemedy(town, finding)
  const second = await openHost(town.host)
  expect(second.findings).toEqual([])
  await second.createNetwork(NETWORK)
  expect(await second.check()).toEqual([])
  expect(await isReached(town, true)).toBe(true)
})

it('is found by check once it is so, and mended by the remedy, as packets have it', async () => {
  const town = await createTown('virbr0')
  const bridgeHost = await openHost(town.host)
  await bridgeHost.createNetwork(NETWORK)
  const [finding, ...others] = await bridgeHost.check()
  expect(others).toEqual([])
  expect(finding).toMatchObject({ code: 'policy-drops-foreign', severity: 'error', subject: 'virbr0' })
  expect(await isReached(town, false)).toBe(false)
  if (finding) await runRemedy(town, finding)
  expect(await bridgeHost.check()).toEqual([])
  expect(await isReached(town, true)).toBe(true)
})

it.each([
  ['docker0', true, 'Docker'],
  ['br-0123456789ab', false, 'Docker'],
  ['lxcbr0', false, 'LXC'],
  ['podman1', false, 'Podman'],
  ['tailscale0', false, 'Tailscale'],
  ['lan', true, 'lan'],
] as const)('knows %s (translated: %s) as an interface of %s', async (bridge, translated, owner) => {
  const { host } = await createTown(bridge, translated)
  const { findings } = await openHost(host)
  expect(findings).toMatchObject([{ code: 'policy-drops-foreign', subject: bridge }])
  expect(findings[0]?.message).toContain(owner)
})

it.each([
  ['a bridge that nobody has the host forward for', 'lan', false, {}, ''],
  ["a policy that leaves others' traffic alone", 'virbr0', true, { forwardPolicy: 'leave' }, ''],
  ['a policy that was asked for', 'virbr0', true, { forwardPolicy: 'drop' }, ''],
  ['a host that forwarded before', 'virbr0', true, {}, 'net/ipv4/ip_forward'],
  [
    'a bridge whose own rules let nothing out',
    'virbr0',
    false,
    {},
    'table ip x { chain f { type filter hook forward priority 0; iifname virbr0 drop; }; }',
  ],
] as const satisfies readonly (readonly [string, string, boolean, HostOptions, string])[])(
  'says nothing of %s',
  async (_, bridge, translated, options, before) => {
    const { host } = await createTown(bridge, translated)
    if (before.startsWith('net/')) await host.namespace.writeSysctl(before, '1')
    else if (before !== '') await nftFile(host.namespace, before)
    const bridgeHost = await openHost(host, options)
    expect(bridgeHost.findings).toEqual([])
    await bridgeHost.createNetwork({ name: 'mine', subnet: '172.17.0.0/16' })
    expect((await bridgeHost.check()).filter(({ code }) => code === 'policy-drops-foreign')).toEqual([])
  },
)

/** A host on which everything that host.check looks at stands, and the way a finding is provoked and mended. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Machine } from '../../../lab/machine.js'
import { addAddress, addRoute } from '../../../lab/wiring.js'
import type { BridgeHost, Finding, FindingCode } from '../../../src/index.js'
import { ip, nftFile, runIn } from '../../support/tools.js'
import { cleanUp, createMachines, openHost } from './setting.js'

export interface Town {
  readonly host: Machine
  readonly outside: Machine
  readonly web: Machine
  readonly state: string
  bridgeHost: BridgeHost
}

/** A host with all that is checked: two families, icc false with a link, published ports, a peer. */
export async function createTown(): Promise<Town> {
  const { host, outside, machines } = await createMachines('web', 'app')
  await addAddress(host, 'uplink', '2001:db8:113::1/64')
  await addRoute(host, { destination: 'default', gateway: '2001:db8:113::2' })
  const state = mkdtempSync(join(tmpdir(), 'nfbridge-check-'))
  cleanUp(async () => rmSync(state, { recursive: true, force: true }))
  const bridgeHost = await openHost(host, { state })
  const town = { host, outside, state, bridgeHost, web: host }
  const network = await bridgeHost.createNetwork({
    name: 'docker0',
    subnet: '172.17.0.0/16',
    ipv6: true,
    icc: false,
  })
  const other = await bridgeHost.createNetwork({ name: 'other', subnet: '172.19.0.0/24' })
  for (const [name, machine] of machines) {
    if (machine === host || machine === outside) continue
    const first = await network.attach({
      name,
      netns: machine.namespace,
      ...(name === 'web'
        ? { expose: ['80'], publish: ['8080:80', '9000-9003:9000-9003/udp', '127.0.0.1:99:99'] }
        : { links: ['web'] }),
    })
    if (name === 'web') {
      town.web = machine
      await first.connect(other, { netns: machine.namespace })
    }
  }
  await bridgeHost.addPeer({ subnet: '172.30.0.0/24', via: '203.0.113.2', device: 'uplink' })
  return town
}

export async function reopen(town: Town): Promise<void> {
  await town.bridgeHost.close()
  town.bridgeHost = await openHost(town.host, { state: town.state })
}

/** The commands of a remedy, as a shell would run them in the host's namespace. */
export async function runRemedy({ host }: Town, { remedy }: Finding): Promise<void> {
  const commands = [...remedy.matchAll(/`([^`]+)`/g)].flatMap(([, command = '']) => command.split(' && '))
  expect(commands.length, remedy).toBeGreaterThan(0)
  for (const command of commands) await runIn(host.namespace, 'sh', ['-c', command])
}

export async function codes({ bridgeHost }: Town): Promise<FindingCode[]> {
  return (await bridgeHost.check()).map(({ code }) => code)
}

export const set = (name: string, value: string) => (town: Town) =>
  town.host.namespace.writeSysctl(name, value)
export const inHost =
  (...words: string[]) =>
  ({ host }: Town) =>
    ip(host.namespace, ...words)
export const rules =
  (text: string) =>
  ({ host }: Town) =>
    nftFile(host.namespace, text)

/** The name of a container's interface on the host. */
export const port =
  (name: string) =>
  async (town: Town, ...words: string[]) =>
    ip(
      town.host.namespace,
      ...words.map((word) =>
        word === 'PORT' ? String(town.bridgeHost.container(name)?.hostInterface) : word,
      ),
    )

export interface Case {
  readonly code: FindingCode
  readonly what: string
  readonly provoke: (town: Town) => Promise<unknown>
  /** What the message and the remedy say. */
  readonly says: readonly (string | RegExp)[]
  /** Default: the commands in the remedy. */
  readonly mend?: (town: Town, finding: Finding) => Promise<unknown>
  /** Other findings of the same cause, which the remedy leaves. */
  readonly leaves?: readonly FindingCode[]
}

/** Brings a fault about in a town, and mends it. */
export async function expectFound(
  { code, provoke, says, mend = runRemedy, leaves = [] }: Case,
  createdTown: Promise<Town> = createTown(),
): Promise<void> {
  const town = await createdTown
  await provoke(town)
  const found = await town.bridgeHost.check()
  const finding = found.find((each) => each.code === code)
  expect(found.map((each) => each.code)).toContain(code)
  const text = `${finding?.subject}: ${finding?.message} -> ${finding?.remedy}`
  for (const part of says) expect(text).toMatch(part instanceof RegExp ? part : new RegExp(escaped(part)))
  if (!finding) throw new Error(code)
  await mend(town, finding)
  expect(await codes(town), text).toEqual(leaves)
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

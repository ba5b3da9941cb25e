/** A host in the namespace of this process, which is that of the daemons as well. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { connectOutside } from '../../lab/wiring.js'
import { BridgeHost } from '../../src/index.js'
import { Namespace } from '../../src/netns/index.js'
import { cleanUp } from '../support/clean-up.js'
import { createNamespaces } from '../support/machines.js'
import { run } from '../support/tools.js'

/** Runs `ip`; throws when it fails. */
export async function ip(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run('ip', args)
  if (code !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** The way outside that every machine has: 203.0.113.1/24 on `uplink`. */
export async function connectUplink(): Promise<void> {
  const [outside] = await createNamespaces(1)
  if (!outside) throw new Error('no namespace')
  const own = Namespace.current()
  cleanUp(() => own.close())
  cleanUp(() => run('ip', ['link', 'delete', 'uplink']))
  await connectOutside({ namespace: own }, { namespace: outside })
}

export interface OwnHost {
  host: BridgeHost
  readonly index: number
  readonly port: string
  readonly state: string
}

/** A host with a bridge, a container, a published port, a peer and a routing rule of somebody's. */
export async function createHost(): Promise<OwnHost> {
  const state = mkdtempSync(join(tmpdir(), 'nfbridge-state-'))
  cleanUp(() => rmSync(state, { recursive: true, force: true }))
  const [web] = await createNamespaces(1)
  if (!web) throw new Error('no namespace')
  const own: { host: BridgeHost } = { host: await open(state) }
  cleanUp(() => own.host.destroy())
  const network = await own.host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', ipv6: true })
  const container = await network.attach({ name: 'web', netns: web, publish: ['8080:80'] })
  await own.host.addPeer({ subnet: '172.30.0.0/24', via: '203.0.113.2', device: 'uplink' })
  await ip('rule', 'add', 'from', '172.17.0.0/16', 'lookup', '100', 'priority', '1000')
  cleanUp(() => run('ip', ['rule', 'delete', 'priority', '1000']))
  const port = container.hostInterface
  if (port === undefined) throw new Error('the container has no interface')
  const index = Number(/^(\d+):/.exec(await ip('-o', 'link', 'show', 'docker0'))?.[1])
  return Object.assign(own, { index, port, state })
}

function open(state: string): Promise<BridgeHost> {
  return BridgeHost.open({ ipForward: true, firewall: true, state })
}

export async function reopen(own: OwnHost): Promise<void> {
  await own.host.close()
  own.host = await open(own.state)
}

/** The codes of what check finds, each once, in alphabetical order. */
export async function codes({ host }: OwnHost): Promise<string[]> {
  return [...new Set((await host.check()).map(({ code }) => code))].sort()
}

/** Waits until check finds just these. */
export function expectCodes(own: OwnHost, ...expected: string[]): Promise<void> {
  return expect.poll(() => codes(own)).toEqual([...expected].sort())
}

/** Nothing is missing: check finds nothing, the container answers, and somebody's rule stands. */
export async function expectWhole(own: OwnHost): Promise<void> {
  expect((await own.host.check()).map(({ message }) => message)).toEqual([])
  expect((await run('ping', ['-c', '1', '-W', '5', '172.17.0.2'])).code).toBe(0)
  expect(await ip('rule')).toContain('from 172.17.0.0/16 lookup 100')
}

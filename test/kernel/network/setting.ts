import { expect } from 'vitest'
import { type Machine, type ProbeOptions, SILENCE_MS } from '../../../lab/machine.js'
import { connectOutside } from '../../../lab/wiring.js'
import {
  BridgeHost,
  type ContainerOptions,
  type HostOptions,
  type Network,
  type NetworkOptions,
} from '../../../src/index.js'
import { cleanUp } from '../../support/clean-up.js'
import { testMachines } from '../../support/machines.js'

export { cleanUp } from '../../support/clean-up.js'

/** A host with a way outside, and machines to be containers: what each of these tests begins with. */
export interface Setting {
  readonly host: Machine
  readonly outside: Machine
  readonly machines: ReadonlyMap<string, Machine>
  readonly bridgeHost: BridgeHost
  readonly network: Network
  /** Attaches a machine under its own name. */
  attach(
    name: string,
    options?: Omit<ContainerOptions, 'netns' | 'name'>,
    to?: Network,
  ): ReturnType<Network['attach']>
  machine(name: string): Machine
}

/** Machines with a host that reaches outside; nothing of ours in the host yet. */
export async function createMachines(
  ...names: string[]
): Promise<{ host: Machine; outside: Machine; machines: Map<string, Machine> }> {
  const [host, outside, ...others] = await testMachines(['host', 'outside', ...names])
  const machines = new Map([host, outside, ...others].map((machine) => [machine.name, machine]))
  await connectOutside(host, outside, ['172.16.0.0/12'])
  return { host, outside, machines }
}

export async function openHost(host: Machine, options: Omit<HostOptions, 'netns'> = {}): Promise<BridgeHost> {
  const bridgeHost = await BridgeHost.open({ ...options, netns: host.namespace })
  cleanUp(() => bridgeHost.close())
  return bridgeHost
}

/**
 * Has the rules go that nobody needs any more: those whose sets are empty stay until a network changes, so that two ways to one state may
 * differ in them.
 */
export async function changeANetwork(bridgeHost: BridgeHost): Promise<void> {
  await (await bridgeHost.createNetwork({ name: 'passing', subnet: '10.99.0.0/24' })).destroy()
}

export async function createSetting(
  names: readonly string[],
  networkOptions: Partial<NetworkOptions> = {},
  hostOptions: Omit<HostOptions, 'netns'> = {},
): Promise<Setting> {
  const { host, outside, machines } = await createMachines(...names)
  const bridgeHost = await openHost(host, hostOptions)
  const network = await bridgeHost.createNetwork({
    name: 'docker0',
    subnet: '172.17.0.0/16',
    ...networkOptions,
  })
  const machine = (name: string): Machine => {
    const found = machines.get(name)
    if (!found) throw new Error(`no machine ${name}`)
    return found
  }
  return {
    host,
    outside,
    machines,
    bridgeHost,
    network,
    machine,
    attach: (name, options = {}, to = network) =>
      to.attach({ ...options, name, netns: machine(name).namespace }),
  }
}

/** Fails unless a TCP connection is made and the server sees the source address given. */
export async function expectReached(
  from: Machine,
  address: string,
  port: number,
  seen: string,
  options: ProbeOptions = {},
): Promise<void> {
  const outcome = await from.probeTcp(address, port, options)
  expect(outcome, `${from.name} to ${address}:${port}`).toMatchObject({ outcome: 'reached', seen })
}

/** Fails unless the connection is dropped without an answer. */
export async function expectBlocked(
  from: Machine,
  address: string,
  port: number,
  options: ProbeOptions = {},
): Promise<void> {
  const outcome = await from.probeTcp(address, port, { timeoutMs: SILENCE_MS, ...options })
  expect(outcome, `${from.name} to ${address}:${port}`).toEqual({ outcome: 'timeout' })
}

/** The error that a call fails with; fails when it does not. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error('the call did not fail')
    },
    (error: unknown) => error,
  )
}

/** Sends over and over, while rules change; resolves with what did not come back in time. */
export function keepSending(connection: {
  send(text: string): Promise<string>
}): () => Promise<{ readonly lost: number }> {
  let ended = false
  // A test that fails before it asks does not send on for ever.
  cleanUp(() => {
    ended = true
  })
  const result = (async () => {
    let lost = 0
    for (let count = 0; !ended || count < 20; count += 1) {
      // Nothing sends a datagram again: one that was lost never comes back.
      if ((await connection.send(`packet ${count}`)) !== 'echo') lost += 1
    }
    return { lost }
  })()
  return () => {
    ended = true
    return result
  }
}

/** The pages of docs/ with a program, and what packets find when it has run. */
import { expect } from 'vitest'
import type { Machine } from '../../../lab/machine.js'

type Machines = (name: string) => Machine

/** What is tried after a page's program has ended: the networks that it made stand. */
export const pages: ReadonlyMap<string, (machine: Machines) => Promise<void>> = new Map([
  ['forwarding', forwarding],
  ['user-rules', userRules],
])

const hostAddress = '203.0.113.1'
const outsideAddress = '203.0.113.2'

async function expectSeen(
  from: Machine,
  address: string,
  port: number,
  seen: string,
  localAddress?: string,
): Promise<void> {
  const options = { timeoutMs: 2000, ...(localAddress === undefined ? {} : { localAddress }) }
  const outcome = await from.probeTcp(address, port, options)
  expect(outcome, `${from.name} to ${address}:${port}`).toMatchObject({ outcome: 'reached', seen })
}

async function expectNothing(
  from: Machine,
  address: string,
  port: number,
  localAddress?: string,
): Promise<void> {
  const outcome = await from.probeTcp(address, port, localAddress === undefined ? {} : { localAddress })
  expect(outcome.outcome, `${from.name} to ${address}:${port}`).not.toBe('reached')
}

async function forwarding(machine: Machines): Promise<void> {
  const [web, outside] = [machine('web'), machine('outside')]
  await Promise.all([web.serveTcp(80), outside.serveTcp(7)])
  await expectSeen(web, outsideAddress, 7, '172.18.0.2')
  await expectSeen(outside, '172.18.0.2', 80, '172.30.0.2', '172.30.0.2')
  await expectSeen(outside, '172.18.0.2', 80, outsideAddress)
}

async function userRules(machine: Machines): Promise<void> {
  const [web, outside] = [machine('web'), machine('outside')]
  await Promise.all([web.serveTcp(80), outside.serveTcp(7)])
  await expectNothing(outside, hostAddress, 8080)
  await expectSeen(outside, hostAddress, 8080, '8.8.8.8', '8.8.8.8')
  await expectSeen(web, outsideAddress, 7, hostAddress)
}

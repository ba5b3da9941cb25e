import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { type HeldConnection, SILENCE_MS } from '../../lab/machine.js'
import { BridgeHost, type Namespace } from '../../src/index.js'
import { cleanUp, createMachines } from '../kernel/network/setting.js'
import { conntrack, nft } from '../support/tools.js'

const PROGRAM = fileURLToPath(new URL('./programs/killed-at-send.mjs', import.meta.url))

/** No call has as many moments. */
const MANY = 200
const HOST = '203.0.113.1'
const OUTSIDE = '203.0.113.2'
const ADDRESS = '172.17.0.2'
const SIXTH = 'fd00:17::2'
const LOCAL = '169.254.7.7'
/** Of an outside client whose connection is made by hand. */
const TRACKED_PORT = 7777

it.each(['detach', 'stop', 'disconnect'])(
  '%s: killed at any moment, who gets the addresses next gets nothing that was meant for the former container',
  async (call) => {
    const { host, outside, machines } = await createMachines('web', 'client', 'stranger')
    const [web, client, stranger] = ['web', 'client', 'stranger'].map((each) => machines.get(each))
    if (!web || !client || !stranger) throw new Error('three machines')
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-kill-'))
    cleanUp(async () => rmSync(state, { recursive: true, force: true }))
    const open = () => BridgeHost.open({ netns: host.namespace, state, bridgeNetfilter: 'off' })
    const first = await open()
    const pools = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]
    await first.createNetwork({ name: 'docker0', icc: false, pools })
    await first.close()
    for (const each of [web, stranger]) await each.serveUdp(53, { address: '::' })
    const asked = { addresses: [ADDRESS, SIXTH], linkLocalAddresses: [LOCAL] }

    for (let moment = 0; ; moment += 1) {
      expect(moment, 'the call ends').toBeLessThan(MANY)
      const before = await open()
      const net = before.network('docker0')
      if (!net) throw new Error('a network')
      await net.attach({
        name: 'web',
        netns: web.namespace.path(),
        ...asked,
        expose: ['53/udp'],
        publish: ['5353:53/udp'],
      })
      await net.attach({ name: 'client', netns: client.namespace.path(), links: ['web'] })
      await before.close()
      const held = await outside.holdUdp(HOST, 5353)
      for (const address of [ADDRESS, SIXTH]) {
        expect(await client.probeUdp(address, 53)).toMatchObject({ outcome: 'reached' })
        expect(await host.probeUdp(address, 53)).toMatchObject({ outcome: 'reached' })
      }
      await trackLocal(host.namespace)
      expect(await tracked(host.namespace)).toEqual([ADDRESS, SIXTH, LOCAL])
      expect(await questions(host.namespace)).toEqual([ADDRESS, SIXTH])

      const isKilled = await killedAt(moment, call, state, host.namespace)
      const after = await open()
      try {
        const next = await after
          .network('docker0')
          ?.attach({ name: 'stranger', netns: stranger.namespace.path(), ...asked })
        expect(await tracked(host.namespace), `moment ${moment}`).toEqual([])
        expect(await questions(host.namespace), `moment ${moment}`).toEqual([])
        expect(await answerOf(held), `moment ${moment}`).not.toBe('echo')
        if (!isKilled) {
          // (control) A tracked connection is all that it takes: made by hand, its client is the stranger's.
          await trackTo(ADDRESS, host.namespace)
          const reached = await outside.probeUdp(HOST, 5353, { localPort: TRACKED_PORT })
          expect(reached).toMatchObject({ outcome: 'reached' })
        }
        await next?.detach()
        await after.container('web')?.detach()
        await after.container('client')?.detach()
      } finally {
        await after.close()
        await held.close()
      }
      if (!isKilled) break
    }
  },
)

function answerOf(held: HeldConnection): Promise<string> {
  return held.send('meant for web', { timeoutMs: SILENCE_MS })
}

/** Which of the addresses connection tracking knows a connection of. */
async function tracked(host: Namespace): Promise<string[]> {
  const lists = [await conntrack(host, '-L'), await conntrack(host, '-L', '-f', 'ipv6')]
  return [ADDRESS, SIXTH, LOCAL].filter((address) => lists.some((list) => list.includes(`=${address} `)))
}

/** Which of them the rules remember a question to. */
async function questions(host: Namespace): Promise<string[]> {
  const rules = await nft(host, 'list', 'table', 'bridge', 'nfbridge')
  const elements = (rules.match(/set asked\w* \{[^}]*elements = \{[^}]*\}/g) ?? []).join('\n')
  return [ADDRESS, SIXTH].filter((address) => elements.includes(` . ${address} .`))
}

/** A connection of the host to the link-local address. */
async function trackLocal(host: Namespace): Promise<void> {
  const tuple = ['-p', 'udp', '-s', '169.254.0.1', '-d', LOCAL, '--sport', '9', '--dport', '53']
  await conntrack(host, '-I', ...tuple, '-t', '120', '-u', 'SEEN_REPLY')
}

/** A connection of the outside client by the published port, as it was before. */
async function trackTo(address: string, host: Namespace): Promise<void> {
  const tuple = ['-p', 'udp', '-s', OUTSIDE, '-d', HOST, '--sport', String(TRACKED_PORT), '--dport', '5353']
  await conntrack(host, '-I', ...tuple, '-g', `${address}:53`, '-t', '120', '-u', 'SEEN_REPLY')
}

/** Runs the call and kills it. @returns false where the call ended before */
async function killedAt(moment: number, call: string, state: string, host: Namespace): Promise<boolean> {
  const child = spawn(process.execPath, [PROGRAM, state, host.path(), call, String(moment)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code, signal] = await once(child, 'exit')
  if (signal === 'SIGKILL') return true
  expect(code).toBe(0)
  return false
}

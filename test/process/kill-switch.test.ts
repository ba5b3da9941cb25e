import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { PATIENCE_MS } from '../../lab/machine.js'
import { BridgeHost, type Namespace } from '../../src/index.js'
import { ASKED_PORT, pendingQuestions } from '../kernel/network/pending-questions.js'
import { cleanUp, createMachines, expectBlocked, expectReached } from '../kernel/network/setting.js'
import { ip, nft } from '../support/tools.js'

const PROGRAM = fileURLToPath(new URL('./programs/killed-at-send.mjs', import.meta.url))

/** No call has as many moments. */
const MANY = 200

/** Ports of the client from here on ask nothing. */
const UNASKED = 7000

/** A call of the program, and what brings the host to where it begins. */
interface Trial {
  readonly name: string
  readonly prepare: (host: BridgeHost) => Promise<void>
}

const network = (host: BridgeHost) => {
  const found = host.network('docker0')
  if (!found) throw new Error('no network')
  return found
}

const trials: readonly Trial[] = [
  { name: 'tracking begins', prepare: (host) => network(host).update({ tracking: false }) },
  { name: 'tracking ends', prepare: (host) => network(host).update({ tracking: true }) },
  { name: 'the first rule of the users comes', prepare: (host) => host.userRules.forward.flush() },
  {
    name: 'the last rule of the users goes',
    prepare: async ({ userRules: { forward } }) => {
      await forward.flush()
      await forward.append([{ counter: null }])
    },
  },
]

it.each(trials)(
  '$name: killed at any moment, who is linked is reached and nobody else',
  async ({ name, prepare }) => {
    const { host, machines } = await createMachines('server', 'client', 'stranger')
    const [server, client, stranger] = ['server', 'client', 'stranger'].map((each) => machines.get(each))
    if (!server || !client || !stranger) throw new Error('three machines')
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-kill-'))
    cleanUp(async () => rmSync(state, { recursive: true, force: true }))
    const open = () => BridgeHost.open({ netns: host.namespace, state, bridgeNetfilter: 'off' })
    const first = await open()
    const net = await first.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', icc: false })
    const [web, app] = await net.attachAll([
      { name: 'server', netns: server.namespace.path(), expose: ['80', '53/udp', `${ASKED_PORT}/udp`] },
      { name: 'client', netns: client.namespace.path(), links: ['server'] },
      { name: 'stranger', netns: stranger.namespace.path() },
    ])
    if (!web || !app) throw new Error('two containers')
    await server.serveTcp(80)
    await server.serveUdp(53)
    const questions = await pendingQuestions(server, client, web.address)
    await prepare(first)
    const begins = await judgesOf(host.namespace)
    await first.close()

    const judges = new Set<string>()
    for (let moment = 0; ; moment += 1) {
      expect(moment, 'the call ends').toBeLessThan(MANY)
      const [before, after, unasked] = [5000 + moment, 6000 + moment, UNASKED + moment]
      await questions.listen(unasked)
      await questions.ask(before)
      const isKilled = await killedAt(moment, name, state, host.namespace)
      const found = await judgesOf(host.namespace)
      judges.add(found)
      const when = `moment ${moment}, then ${found}`
      await questions.ask(after)
      await expectReached(client, web.address, 80, app.address)
      expect(await client.probeUdp(web.address, 53), when).toMatchObject({ outcome: 'reached' })
      await expectBlocked(stranger, web.address, 80)

      const adopted = await open()
      try {
        for (const port of [unasked, before, after]) questions.answer(port)
        await expect
          .poll(() => questions.heard.filter((port) => port % 1000 === moment).sort(), {
            message: when,
            timeout: PATIENCE_MS,
          })
          .toEqual([before, after])
        expect(await adopted.check(), when).toEqual([])
        await adopted.close()
        const mended = await rulesOf(host.namespace)
        const asks = await judgesOf(host.namespace)
        await nft(host.namespace, 'delete table inet nfbridge; delete table bridge nfbridge')
        const anew = await open()
        expect(mended, when).toBe(await rulesOf(host.namespace))
        expect(asks, when).toBe(await judgesOf(host.namespace))
        if (isKilled) await prepare(anew)
        await anew.close()
      } finally {
        await adopted.close()
      }
      if (!isKilled) break
      expect(await judgesOf(host.namespace), when).toBe(begins)
    }
    expect(questions.heard.filter((port) => port >= UNASKED)).toEqual([])
    // Killed between both steps, too.
    expect([...judges].sort()).toEqual(['the bridge', 'the bridge, asked in vain', 'table inet'].sort())
  },
)

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

/** Who judges what stays on the bridge, and whether it asks br_netfilter. */
async function judgesOf(host: Namespace): Promise<string> {
  const [link = ''] =
    (await ip(host, '-d', 'link', 'show', 'docker0')).match(/nf_call_iptables [01] nf_call_ip6tables [01]/) ??
    []
  const map = await nft(host, 'list', 'map', 'inet', 'nfbridge', 'icc')
  const bridge = map.includes('jump same_bridge')
  if (link === 'nf_call_iptables 1 nf_call_ip6tables 1')
    return bridge ? 'the bridge, asked in vain' : 'table inet'
  return bridge && link === 'nf_call_iptables 0 nf_call_ip6tables 0' ? 'the bridge' : `nobody: ${link}`
}

/** Without what packets put into sets. */
async function rulesOf(host: Namespace): Promise<string> {
  const text = await nft(host, '-s', 'list', 'ruleset')
  return text.replaceAll(/(flags dynamic,timeout\n\t\ttimeout \w+\n)\t\telements = \{[^}]*\}\n/g, '$1')
}

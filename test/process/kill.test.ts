import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { BridgeHost, Namespace } from '../../src/index.js'
import { ip, ipJson, nft } from '../support/tools.js'

const PROGRAM = fileURLToPath(new URL('./programs/attach-forever.mjs', import.meta.url))
const ROUNDS = 12

describe('a process that is killed in the middle of attaching and detaching', () => {
  it('leaves what the next open makes whole: each container is there or is not, and nothing is left over', async () => {
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-kill-'))
    const host = await Namespace.create()
    const places = await Promise.all(Array.from({ length: 5 }, () => Namespace.create()))
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        await runAndKill(state, host, places, 5 + ((round * 37) % 90))
        const adopted = await BridgeHost.open({ netns: host, state })
        await expectWhole(adopted, host, places)
        expect(await host.readSysctl('net.bridge.bridge-nf-call-iptables')).toBe('0')
        if (round === ROUNDS - 1) await adopted.destroy()
        await adopted.close()
      }
      expect(await nft(host, 'list', 'ruleset')).toBe('')
      // Turned off by a process that was killed.
      expect(await host.readSysctl('net.bridge.bridge-nf-call-iptables')).toBe('1')
      expect(await ip(host, '-br', 'link')).not.toMatch(/veth|docker0/)
    } finally {
      for (const namespace of [host, ...places]) namespace.close()
      rmSync(state, { recursive: true, force: true })
    }
  })
})

async function runAndKill(
  state: string,
  host: Namespace,
  places: readonly Namespace[],
  milliseconds: number,
): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, state, ...[host, ...places].map((each) => each.path())], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(child.stdout, 'data')
    await setTimeout(milliseconds)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

async function expectWhole(
  adopted: BridgeHost,
  host: Namespace,
  places: readonly Namespace[],
): Promise<void> {
  const containers = adopted.networks.flatMap(({ containers }) => containers)
  // An interface goes a little after the namespace that it was being made in is let go.
  const ports = await ipJson(host, 'link', 'show', 'type', 'veth')
  expect(
    ports
      .map(({ ifname }) => ifname)
      .filter(Boolean)
      .sort(),
  ).toEqual(containers.map(({ hostInterface }) => hostInterface).sort())
  const rules = await nft(host, 'list', 'ruleset')
  for (const [index, place] of places.entries()) {
    const container = adopted.container(`c${index}`)
    const inside = (): Promise<string> => ip(place, '-br', 'addr', 'show')
    if (container) {
      // A carrier takes effect a little later.
      await expect
        .poll(inside)
        .toMatch(new RegExp(`^eth0\\S* +UP +${container.address.replaceAll('.', '\\.')}/16`, 'm'))
      expect(await ip(place, 'route', 'show', 'default')).toContain('via 172.17.0.1')
    } else {
      expect(await inside()).not.toContain('eth0')
    }
    expect(rules.includes(`tcp . ${8000 + index} :`)).toBe(container !== undefined)
  }
  const addresses = new Set(containers.map(({ address }) => address))
  // With a prefix length it is the network's pool.
  for (const address of rules.match(/172\.17\.\d+\.\d+(?![\d/])/g) ?? []) expect(addresses).toContain(address)
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Machine } from '../../../lab/machine.js'
import { cleanUp, createMachines, openHost } from './setting.js'

const SETTINGS = ['iptables', 'ip6tables', 'arptables'].map((name) => `net.bridge.bridge-nf-call-${name}`)
const OFF = ['0', '0', '0']

function read({ namespace }: Machine): Promise<string[]> {
  return Promise.all(SETTINGS.map((name) => namespace.readSysctl(name)))
}

async function write({ namespace }: Machine, values: readonly string[]): Promise<void> {
  for (const [index, name] of SETTINGS.entries()) await namespace.writeSysctl(name, values[index] ?? '')
}

function stateDirectory(): string {
  const state = mkdtempSync(join(tmpdir(), 'nfbridge-'))
  cleanUp(async () => rmSync(state, { recursive: true, force: true }))
  return state
}

describe("bridgeNetfilter: 'off'", () => {
  it.each([
    ['on', ['1', '1', '1']],
    ['partly on', ['1', '0', '1']],
    ['off', OFF],
  ])(
    'in a kernel that has it %s: off while there is a network, as it was before and after',
    async (_, before) => {
      const { host } = await createMachines()
      await write(host, before)
      const bridgeHost = await openHost(host, { bridgeNetfilter: 'off' })
      expect(await read(host)).toEqual(before)
      const first = await bridgeHost.createNetwork({ name: 'br1' })
      const second = await bridgeHost.createNetwork({ name: 'br2' })
      expect(await read(host)).toEqual(OFF)
      expect((await bridgeHost.inspect()).host.bridgeNetfilter).toBe('off')
      await first.destroy()
      expect(await read(host)).toEqual(OFF)
      await second.destroy()
      expect(await read(host)).toEqual(before)
    },
  )

  it("is not the default: 'leave' writes nothing", async () => {
    const { host } = await createMachines()
    const bridgeHost = await openHost(host)
    await bridgeHost.createNetwork({ name: 'br1' })
    expect(await read(host)).toEqual(['1', '1', '1'])
    expect((await bridgeHost.inspect()).host.bridgeNetfilter).toBe('leave')
  })

  it('a call that fails gives it back', async () => {
    const { host } = await createMachines()
    const bridgeHost = await openHost(host, { bridgeNetfilter: 'off' })
    // The network is made before the container is looked for, and goes again.
    const failing = bridgeHost.attach({ netns: '/run/netns/nobody', name: 'web' })
    await expect(failing).rejects.toMatchObject({ code: expect.stringMatching(/^NFB_/) })
    expect(bridgeHost.networks).toEqual([])
    expect(await read(host)).toEqual(['1', '1', '1'])
  })

  it('is given back by another process, with other options; and turned off again by one with the same', async () => {
    const { host } = await createMachines()
    const state = stateDirectory()
    const first = await openHost(host, { state, bridgeNetfilter: 'off' })
    await first.createNetwork({ name: 'br1' })
    await first.close()
    expect(await read(host)).toEqual(OFF)
    // Somebody loads his own sysctl.conf.
    await write(host, ['1', '1', '1'])
    const second = await openHost(host, { state, bridgeNetfilter: 'off' })
    expect(await read(host)).toEqual(OFF)
    await second.close()
    const third = await openHost(host, { state })
    expect(await read(host)).toEqual(OFF)
    await third.destroy()
    expect(await read(host)).toEqual(['1', '1', '1'])
  })

  it.each([
    ['both turn it off', 'off', 'off'],
    ['the one that stays leaves it', 'off', 'leave'],
    ['the one that goes leaves it', 'leave', 'off'],
  ] as const)('of two hosts in one namespace the last gives it back: %s', async (_, goes, stays) => {
    const { host } = await createMachines()
    const state = stateDirectory()
    const before = ['1', '0', '1']
    await write(host, before)
    const first = await openHost(host, { bridgeNetfilter: goes })
    await first.createNetwork({ name: 'br1' })
    const second = await openHost(host, { name: 'other', state, bridgeNetfilter: stays })
    await second.createNetwork({ name: 'br2' })
    expect(await read(host)).toEqual(OFF)
    await first.destroy()
    expect(await read(host)).toEqual(OFF)
    await second.close()
    // What was left to it is remembered beyond the process.
    const again = await openHost(host, { name: 'other', state, bridgeNetfilter: stays })
    await again.destroy()
    expect(await read(host)).toEqual(before)
  })
})

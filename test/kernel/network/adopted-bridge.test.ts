import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Namespace } from '../../../src/index.js'
import { ip, ipJson } from '../../support/tools.js'
import { cleanUp, createMachines, expectReached, failureOf, openHost } from './setting.js'
import { stateOf } from './state.js'

async function settingsOf(namespace: Namespace): Promise<unknown> {
  const [link] = await ipJson(namespace, '-d', 'link', 'show', 'br0')
  const { linkinfo } = link ?? {}
  return [linkinfo, await namespace.readSysctl('net/ipv4/conf/br0/route_localnet')]
}

describe('a bridge that was there before', () => {
  it('is used, and given back as it was', async () => {
    const { host, outside, machines } = await createMachines('web')
    const web = machines.get('web')
    if (!web) throw new Error('web')
    const state = mkdtempSync(join(tmpdir(), 'nfbridge-'))
    cleanUp(async () => rmSync(state, { recursive: true, force: true }))
    await ip(
      host.namespace,
      'link',
      'add',
      'br0',
      'type',
      'bridge',
      'nf_call_iptables',
      '0',
      'nf_call_ip6tables',
      '0',
    )
    // With an address of its own: without one it has the lowest of its ports'.
    await ip(host.namespace, 'link', 'set', 'br0', 'address', '02:00:00:00:00:01', 'up')
    await ip(host.namespace, 'addr', 'add', '172.22.0.9/16', 'dev', 'br0')
    const before = [await stateOf(host.namespace), stable(await settingsOf(host.namespace))]
    const bridgeHost = await openHost(host, { state })
    expect(await failureOf(bridgeHost.createNetwork({ name: 'br0', subnet: '172.22.0.0/16' }))).toMatchObject(
      {
        code: expect.stringMatching(/NFB_NAME_TAKEN|NFB_POOL_OVERLAP/),
      },
    )
    const options = { name: 'br0', subnet: '172.22.0.0/16', gateway: '172.22.0.1', adopt: true }
    const network = await bridgeHost.createNetwork(options)
    // As it was before us: whoever looks after the bridge may have rules that see what passes on it.
    expect(network.tracking).toBe(true)
    expect(await ip(host.namespace, '-br', 'addr', 'show', 'br0')).toMatch(
      /172\.22\.0\.9\/16 172\.22\.0\.1\/16/,
    )
    const container = await network.attach({ name: 'web', netns: web.namespace, publish: ['8080:80'] })
    await web.serveTcp(80)
    await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
    await expectReached(host, container.address, 80, '172.22.0.9')
    await bridgeHost.close()
    const again = await openHost(host, { state })
    await again.container('web')?.detach()
    await again.destroy()
    expect([await stateOf(host.namespace), stable(await settingsOf(host.namespace))]).toEqual(before)
  })

  it('that is none is refused; one that is not there is made, and is ours', async () => {
    const { host } = await createMachines()
    await ip(host.namespace, 'link', 'add', 'br0', 'type', 'veth')
    const before = await stateOf(host.namespace)
    const bridgeHost = await openHost(host)
    expect(await failureOf(bridgeHost.createNetwork({ name: 'br0', adopt: true }))).toMatchObject({
      code: 'NFB_SETTING_CONFLICT',
      path: 'adopt',
      remaining: [],
    })
    expect(await stateOf(host.namespace)).toBe(before)
    const network = await bridgeHost.createNetwork({ name: 'br1', adopt: true })
    expect(network.tracking).toBe(false)
    await network.destroy()
    expect(await stateOf(host.namespace)).toBe(before)
  })
})

/** Without timers, which run. */
function stable(value: unknown): string {
  return JSON.stringify(value, (key, each: unknown) => (/timer/.test(key) ? undefined : each))
}

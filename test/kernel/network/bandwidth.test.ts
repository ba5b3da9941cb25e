import { describe, expect, it } from 'vitest'
import type { Namespace } from '../../../src/index.js'
import { ip, runIn } from '../../support/tools.js'
import { changeANetwork, createSetting, failureOf } from './setting.js'
import { stateOf } from './state.js'

/** What `tc` prints of the token buckets of a namespace: `vethX rate 8Mbit`. */
async function buckets(namespace: Namespace): Promise<string[]> {
  const text = await runIn(namespace, 'tc', ['qdisc', 'show'])
  return text.split('\n').flatMap((line) => {
    const [, device, rate] = /qdisc tbf .* dev (\S+) .*rate (\S+)/.exec(line) ?? []
    return device === undefined ? [] : [`${device.replace(/^(veth|ifb)[0-9a-f]+$/, '$1*')} ${rate}`]
  })
}

describe('limits of bandwidth', () => {
  it('hold in each direction, change while the container runs, and go with it', async () => {
    const { attach, machine, host, bridgeHost } = await createSetting(['web', 'app'])
    const before = await stateOf(host.namespace)
    const web = await attach('web', {
      bandwidth: { ingress: { rate: 8_000_000 }, egress: { rate: 4_000_000, burst: 20_000 } },
    })
    const app = await attach('app')
    expect((await buckets(host.namespace)).sort()).toEqual(['ifb* 4Mbit', 'veth* 8Mbit'])
    await machine('web').serveTcp(80)
    const started = performance.now()
    const held = await machine('app').holdTcp(web.address, 80)
    // 100,000 bytes there at 8 Mbit/s and back at 4 Mbit/s take 0.1 and 0.2 seconds, less what the bursts let pass at once.
    expect(await held.send('x'.repeat(100_000))).toBe('echo')
    expect(performance.now() - started).toBeGreaterThan(150)
    await web.setBandwidth({ ingress: { rate: 16_000_000 } })
    expect(await buckets(host.namespace)).toEqual(['veth* 16Mbit'])
    expect(await ip(host.namespace, '-br', 'link')).not.toContain('ifb')
    expect(await held.send('x'.repeat(20_000))).toBe('echo')
    await web.setBandwidth({ egress: { rate: 1_000_000 } }, 'docker0')
    expect(await buckets(host.namespace)).toEqual(['ifb* 1Mbit'])
    await web.stop()
    expect(await buckets(host.namespace)).toEqual([])
    await web.start({ netns: machine('web').namespace })
    expect(await buckets(host.namespace)).toEqual(['ifb* 1Mbit'])
    expect(await failureOf(web.setBandwidth({}, 'other'))).toMatchObject({ code: 'NFB_NOT_FOUND' })
    await web.detach()
    await app.detach()
    await changeANetwork(bridgeHost)
    expect(await stateOf(host.namespace)).toBe(before)
  })

  it('may be as high and as low as numbers are', async () => {
    const { attach, machine, host } = await createSetting(['web', 'app'])
    const highest = Number.MAX_SAFE_INTEGER
    const web = await attach('web', {
      bandwidth: { ingress: { rate: highest }, egress: { rate: 10 ** 12, burst: 0xffff_ffff } },
    })
    await attach('app')
    expect(await buckets(host.namespace)).toHaveLength(2)
    await machine('web').serveTcp(80)
    expect(await machine('app').probeTcp(web.address, 80)).toMatchObject({ outcome: 'reached' })
    await web.setBandwidth({ ingress: { rate: 8 } })
    expect(await buckets(host.namespace)).toEqual(['veth* 8bit'])
  })
})

import { describe, expect, it } from 'vitest'
import { addAddress } from '../../../lab/wiring.js'
import { ip, runIn } from '../../support/tools.js'
import { createSetting, expectReached } from './setting.js'

describe('a container', () => {
  it('sends from the address that it was given, or not at all', async () => {
    const { attach, machine } = await createSetting(['web', 'evil', 'app'])
    const web = await attach('web')
    const evil = await attach('evil')
    const app = await attach('app')
    await machine('web').serveTcp(80)
    await addAddress(machine('evil'), 'eth0', '172.17.0.77/16')
    await expectReached(machine('evil'), web.address, 80, evil.address, { localAddress: evil.address })
    expect(await machine('evil').probeTcp(web.address, 80, { localAddress: '172.17.0.77' })).toMatchObject({
      outcome: expect.not.stringMatching('reached'),
    })
    await addAddress(machine('evil'), 'eth0', `${app.address}/32`)
    expect((await machine('evil').probeTcp(web.address, 80, { localAddress: app.address })).outcome).not.toBe(
      'reached',
    )
    await expectReached(machine('app'), web.address, 80, app.address)
  })

  it('cannot claim the address of another by ARP, nor its MAC', async () => {
    const { attach, machine, host } = await createSetting(['web', 'evil', 'app'])
    const web = await attach('web')
    const evil = await attach('evil')
    await attach('app')
    await machine('web').serveTcp(80)
    await expectReached(machine('app'), web.address, 80, '172.17.0.4')
    // It answers for an address that nobody asked it about only when it has it: so it takes it, and another MAC.
    await addAddress(machine('evil'), 'eth0', `${web.address}/32`)
    await ip(machine('evil').namespace, 'link', 'set', 'eth0', 'address', web.mac)
    await runIn(machine('evil').namespace, 'ip', ['neigh', 'flush', 'all'])
    await machine('evil').probeTcp('172.17.0.4', 80)
    const fdb = await runIn(host.namespace, 'bridge', ['fdb', 'show', 'br', 'docker0'])
    const learnt = fdb
      .split('\n')
      .filter((line) => line.startsWith(web.mac) && line.includes(evil.hostInterface))
    expect(learnt).toEqual([])
    await expectReached(machine('app'), web.address, 80, '172.17.0.4')
  })

  it('has no IPv6 on the bridge: neither address nor neighbour', async () => {
    const { attach, machine } = await createSetting(['web', 'app'])
    await attach('web')
    await attach('app')
    await addAddress(machine('web'), 'eth0', 'fd00::2/64')
    await addAddress(machine('app'), 'eth0', 'fd00::3/64')
    await machine('web').serveTcp(80, { address: '::' })
    expect((await machine('app').probeTcp('fd00::2', 80)).outcome).not.toBe('reached')
  })
})

import { expect, it } from 'vitest'
import { SILENCE_MS } from '../../../lab/machine.js'
import { addAddress, addRoute } from '../../../lab/wiring.js'
import { nft } from '../../support/tools.js'
import { createSetting, expectReached } from './setting.js'

const ADDRESSES = ['203.0.113.1', '2001:db8:113::1']

it('an internal network reaches the host by its own bridge alone, in both families, whatever routes it makes', async () => {
  const pools = [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }]
  const { attach, machine, host, network } = await createSetting(['web'], {
    subnet: undefined,
    pools,
    internal: true,
  })
  await attach('web')
  await addAddress(host, 'uplink', '2001:db8:113::1/64')
  await host.serveTcp(5000, { address: '::' })
  await machine('web').serveTcp(80, { address: '::' })
  for (const gateway of network.gateways) {
    await addRoute(machine('web'), { destination: gateway.includes(':') ? '::/0' : '0.0.0.0/0', gateway })
    expect(await machine('web').probeTcp(gateway, 5000)).toMatchObject({ outcome: 'reached' })
  }
  for (const address of ADDRESSES) {
    expect(await machine('web').probeTcp(address, 5000, { timeoutMs: SILENCE_MS })).toEqual({
      outcome: 'timeout',
    })
  }
  // The host's own connections are answered, also from such an address.
  await expectReached(host, '172.17.0.2', 80, '203.0.113.1', { localAddress: '203.0.113.1' })
  // That it would get there.
  await nft(host.namespace, 'flush chain inet nfbridge input')
  for (const address of ADDRESSES) {
    expect(await machine('web').probeTcp(address, 5000)).toMatchObject({
      outcome: 'reached',
    })
  }
})

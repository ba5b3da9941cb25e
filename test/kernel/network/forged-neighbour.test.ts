/** A neighbour entry of the host that somebody forged. */
import { expect, it } from 'vitest'
import { ip } from '../../support/tools.js'
import { createSetting } from './setting.js'

it('explain does not advise to take the forged address alone', async () => {
  const { bridgeHost, host, attach } = await createSetting(['web'])
  await attach('web')
  const forged = '02:00:00:00:00:99'
  await ip(
    host.namespace,
    'neigh',
    'replace',
    '172.17.0.2',
    'lladdr',
    forged,
    'dev',
    'docker0',
    'nud',
    'permanent',
  )
  const { reached, remedy } = await bridgeHost.explain({ from: 'host', to: 'web', port: 80 })
  expect(reached).toBe(false)
  expect(remedy).toMatch(/the neighbour entry is wrong: set its lladdr to (?!02:00:00:00:00:99)/)
})

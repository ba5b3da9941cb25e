import { expect, it } from 'vitest'
import { createSetting, expectReached, failureOf } from './setting.js'

it('calls take what options take, and what other calls return', async () => {
  const { attach, machine, outside, bridgeHost } = await createSetting(['web', 'app'], { icc: false })
  const web = await attach('web', { publish: [443] })
  const [chosen] = web.published
  expect(chosen).toMatch(/^\d+:443\/tcp$/)
  expect(await web.publish(['8080:80', '8081:81/udp'], { hostPort: 8082, containerPort: 82 })).toEqual([
    '8080:80/tcp',
    '8081:81/udp',
    '8082:82/tcp',
  ])
  await machine('web').serveTcp(80)
  await expectReached(outside, '203.0.113.1', 8080, '203.0.113.2')
  await web.unpublish(web.published)
  expect(web.published).toEqual([])
  expect(await failureOf(web.publish(['8080:80', 'x']))).toMatchObject({ path: 'ports[1]' })
  expect(web.published).toEqual([])

  await web.expose(['80/tcp', 53], '90-91/udp')
  await web.unexpose(['53', '90-91/udp'])
  expect(web.exposed).toEqual(['80/tcp'])

  const app = await attach('app', { links: [web] })
  expect(app.links).toMatchObject([{ alias: 'web', container: 'web' }])
  const link = await app.link({ container: web, alias: 'db' })
  await app.unlink(web)
  expect(app.links).toEqual([])
  await app.link(link)
  expect(app.links).toMatchObject([{ alias: 'db', container: 'web' }])
  await expectReached(machine('app'), web.address, 80, app.address)
  await app.unlink(link)
  expect(app.links).toEqual([])
  expect(await failureOf(app.unlink('web:db'))).toMatchObject({ code: 'NFB_NOT_FOUND', path: 'reference' })

  await bridgeHost.removePeer(await bridgeHost.addPeer({ subnet: '172.30.0.0/16', via: '203.0.113.2' }))
  expect(bridgeHost.peers).toEqual([])
})

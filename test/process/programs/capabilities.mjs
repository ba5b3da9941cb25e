// Makes each call in namespaces that it was given as descriptors 3 (the host), 4 and 5 (containers), and says which of them failed, and how. Arguments: a
// folder of its own, the id of a process in the namespace of 5.
import { BridgeHost, Namespace } from 'nfbridge'

const [folder, process5] = process.argv.slice(2)
const failures = {}

async function call(name, work) {
  try {
    return await work()
  } catch ({ code, errno, message }) {
    failures[name] = code === 'NFB_NOT_PERMITTED' ? code : `${code} ${errno}: ${message}`
    return undefined
  }
}

const host = await call('open', () => BridgeHost.open({ netns: { fd: 3 }, state: `${folder}/state` }))
if (host) {
  const network = await call('createNetwork', () =>
    host.createNetwork({ name: 'br0', pools: [{ subnet: '172.17.0.0/16' }, { subnet: 'fd00:17::/64' }] }),
  )
  const web = await call('attach', () =>
    network.attach({
      name: 'web',
      netns: { fd: 4 },
      expose: ['80/tcp'],
      bandwidth: { egress: { rate: 1_000_000 } },
      hostsFile: `${folder}/hosts`,
    }),
  )
  const byProcess = await call('attach by a process of another user', () =>
    network.attach({ name: 'app', netns: { pid: Number(process5) } }),
  )
  const app =
    byProcess ?? (await call('attach again', () => network.attach({ name: 'app', netns: { fd: 5 } })))
  await call('a hosts file in a folder of another user', async () => {
    const hosted = await network.attach({
      name: 'other',
      netns: { fd: 6 },
      hostsFile: `${folder}/others/hosts`,
    })
    await hosted.detach()
  })
  await call('update', () => network.update({ icc: false }))
  await call('link', () => app.link('web'))
  await call('publish', () => web.publish(['8080:80']))
  await call('publish below 1024', () => web.publish(['81:80']))
  await call('setBandwidth', () => web.setBandwidth({ ingress: { rate: 1_000_000 } }))
  await call('addPeer', () => host.addPeer({ subnet: '172.30.0.0/16', via: '203.0.113.2' }))
  await call('userRules', () => host.userRules.forward.append([{ counter: null }]))
  await call('check', () => host.check())
  await call('explain', () => host.explain({ from: 'app', to: 'web', protocol: 'tcp', port: 80 }))
  await call('inspect', () => host.inspect())
  await call('stop', () => web.stop())
  await call('start', () => web.start({ netns: { fd: 4 } }))
  await call('unlink', () => app.unlink('web'))
  await call('detach', () => app.detach())
  await call('destroy', () => host.destroy())
}
await call('Namespace.create', async () => (await Namespace.create()).close())
console.log(JSON.stringify(failures))

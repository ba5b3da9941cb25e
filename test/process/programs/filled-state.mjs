// Fills the file system of a state directory, and says how each call ends, and what then stands.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { BridgeHost } from 'nfbridge'
import { Rtnl } from 'nfbridge/rtnl'
import { fill } from './fill.mjs'

const [netns, inner, folder] = process.argv.slice(2)
const state = join(folder, 'state')
const filler = join(folder, 'filler')
const rtnl = await Rtnl.open({ netns })

let host = await BridgeHost.open({ netns, state })
const network = await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
const { hostInterface } = await network.attach({ name: 'web', netns: inner })
fill(filler)
const outcomeOf = async (call) => {
  const { code, errno, operation, remaining, message } = await call().then(
    () => ({ code: 'done' }),
    (error) => error,
  )
  const links = await rtnl.links.list()
  return {
    ...{ code, errno, operation, remaining, message },
    state: host.container('web')?.state,
    hasInterface: links.some(({ name }) => name === hostInterface),
  }
}
const said = {
  publish: await outcomeOf(() => host.container('web').publish('8080:80')),
  stop: await outcomeOf(() => host.container('web').stop()),
  close: await outcomeOf(() => host.close()),
}
rmSync(filler)
host = await BridgeHost.open({ netns, state })
said.afterwards = host.container('web').state
await host.destroy()
rtnl.close()
console.log(JSON.stringify(said))

// Fills the file system of a state directory, and says how each call ends, and what then stands.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { BridgeHost } from 'nfbridge'
import { Rtnl } from 'nfbridge/rtnl'

const [netns, inner, folder] = process.argv.slice(2)
const state = join(folder, 'state')
const filler = join(folder, 'filler')
const rtnl = await Rtnl.open({ netns })

function fill() {
  const fd = openSync(filler, 'w')
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096))
  } catch (error) {
    if (error.code !== 'ENOSPC') throw error
  } finally {
    closeSync(fd)
  }
}

let host = await BridgeHost.open({ netns, state })
const network = await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
const { hostInterface } = await network.attach({ name: 'web', netns: inner })
fill()
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
  stop: await outcomeOf(() => host.container('web').stop()),
  publish: await outcomeOf(() => host.container('web').publish('8080:80')),
  close: await outcomeOf(() => host.close()),
}
rmSync(filler)
host = await BridgeHost.open({ netns, state })
await host.container('web').stop()
said.stopWithRoom = host.container('web').state
await host.destroy()
rtnl.close()
console.log(JSON.stringify(said))

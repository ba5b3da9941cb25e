// Makes one call where the state directory cannot be written, in a process that is killed, and says what each open then finds. argv: host
// namespace, folder of a small file system, name of the call, `full` or `read-only`, which moments it is killed at: `every` or `after`, and the
// namespaces of two containers.
import { execFileSync, spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BridgeHost } from 'nfbridge'
import { fill } from './fill.mjs'

const [netns, folder, call, disk, moments, web, client] = process.argv.slice(2)
const PROGRAM = fileURLToPath(new URL('./killed-at-send.mjs', import.meta.url))
const state = join(folder, 'state')
const filler = join(folder, 'filler')
const open = () => BridgeHost.open({ netns, state, bridgeNetfilter: 'off' })
const sh = (script) => execFileSync('sh', ['-c', script], { encoding: 'utf8' })

/** What the kernel remembers of us. */
function forget(...tables) {
  for (const name of tables)
    sh(`nsenter --net=${netns} nft 'add table inet ${name}; delete table inet ${name}'`)
}

/** What there is to revoke, by what `open` finds and by what the rules let pass. */
async function found() {
  const host = await open()
  try {
    const container = host.container('web')
    const rules = (await host.toText('nft')).replaceAll(/\s+/g, ' ')
    return {
      web: container?.state,
      networks: container?.networks,
      exposed: container?.exposed,
      published: container?.published,
      links: host.container('client').links.map(({ alias }) => alias),
      icc: host.network('open').icc,
      peers: host.peers.length,
      userRules: (await host.userRules.forward.list()).length,
      lost: host.lost.length,
      opens: /set links \{[^}]*elements/.test(rules),
      translates: /map publish_any \{[^}]*elements/.test(rules),
    }
  } finally {
    await host.close().catch(() => {})
  }
}

async function prepare() {
  rmSync(filler, { force: true })
  const host = await open()
  await host.destroy()
  const again = await open()
  await again.userRules.forward.flush()
  const net = await again.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', icc: false })
  await again.createNetwork({ name: 'open', subnet: '172.18.0.0/16' })
  await net.attach({ name: 'web', netns: web, expose: ['53/udp'], publish: ['8080:80'] })
  await net.attach({ name: 'client', netns: client, links: ['web'] })
  await again.addPeer({ subnet: '172.31.0.0/24', device: 'uplink' })
  await again.close()
}

const rounds = []
for (let moment = moments === 'every' ? 0 : 1000; ; moment += 1) {
  await prepare()
  const before = await found()
  const args = [PROGRAM, state, netns, call, String(moment), disk === 'full' ? filler : disk]
  const { stdout, stderr, signal } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (signal !== 'SIGKILL' && stderr !== '') throw new Error(stderr)
  if (disk !== 'full') sh(`umount ${state}`)
  if (disk === 'full') fill(filler)
  const first = await found()
  rmSync(filler, { force: true })
  // As after a reboot: on a full disk it holds.
  if (disk === 'full') forget('nfbridge', 'nfbridge-revoked')
  rounds.push({
    before,
    said: signal === 'SIGKILL' ? 'killed' : JSON.parse(stdout),
    first,
    later: await found(),
  })
  if (signal !== 'SIGKILL') break
}

// (control) Without the note the files bring back what was revoked.
await prepare()
spawnSync(process.execPath, [PROGRAM, state, netns, call, '1000', disk === 'full' ? filler : disk])
if (disk === 'full') writeFileSync(join(state, 'reserve'), '')
else sh(`umount ${state}`)
forget('nfbridge', 'nfbridge-revoked')
rmSync(filler, { force: true })
const control = await found()
const host = await open()
await host.destroy()
console.log(JSON.stringify({ rounds, control, left: sh(`nsenter --net=${netns} nft list tables`) }))

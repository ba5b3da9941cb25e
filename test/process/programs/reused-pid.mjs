// In a pid namespace of its own: a container's process ends, and its number is that of a process in another namespace when the
// container is to start again. Says how each call ended, and to which namespace the number leads.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { BridgeHost, Namespace } from 'nfbridge'

const [host, own, others] = [await Namespace.create(), await Namespace.create(), await Namespace.create()]

/** A process in a namespace, under a number where it is given. */
async function processIn(namespace, pid) {
  if (pid !== undefined) writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1))
  const child = spawn('nsenter', [`--net=${namespace.path()}`, 'sleep', '1000'], { stdio: 'ignore' })
  await once(child, 'spawn')
  while (readFileSync(`/proc/${child.pid}/comm`, 'latin1') !== 'sleep\n')
    await new Promise((go) => setTimeout(go, 1))
  return child
}

const outcomeOf = (call) =>
  call.then(
    () => 'done',
    ({ code, path }) => ({ code, path }),
  )

const bridgeHost = await BridgeHost.open({ netns: host })
const network = await bridgeHost.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16' })
const first = await processIn(own)
const web = await network.attach({ name: 'web', netns: `/proc/${first.pid}/ns/net` })
await web.stop()
const still = await outcomeOf(web.start())
await web.stop()
const gone = once(first, 'exit')
first.kill()
await gone
const ended = await outcomeOf(web.start())
const byNumber = await outcomeOf(web.start({ netns: { pid: first.pid } }))
const second = await processIn(others, first.pid)
const [reopened, again] = [Namespace.open({ pid: first.pid }), await outcomeOf(web.start())]
const given = await outcomeOf(web.start({ netns: `/proc/${first.pid}/ns/net` }))
console.log(
  JSON.stringify({
    isReused: second.pid === first.pid,
    leadsToOthers: reopened.inode === others.inode,
    ...{ still, ended, byNumber, again, given },
  }),
)
second.kill()
await bridgeHost.destroy()

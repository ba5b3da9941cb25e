import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Namespace } from 'nfbridge'
import { Rtnl } from 'nfbridge/rtnl'
import { expect, it } from 'vitest'

const built = (file: string): string => fileURLToPath(new URL(`../../build/lab/${file}`, import.meta.url))

/** Makes two machines, wires one of them to the namespace that is given by its path, and then waits to be killed. */
const program = `
  import { Namespace } from 'nfbridge'
  import { Machine } from ${JSON.stringify(built('machine.js'))}
  import { connect } from ${JSON.stringify(built('wiring.js'))}
  const [inside] = await Machine.createAll(['inside', 'other'])
  await inside.serveTcp(80)
  const outside = { namespace: Namespace.open(process.argv[1]) }
  await connect({ machine: outside, interface: 'cable' }, { machine: inside, interface: 'eth0' })
  process.stdout.write('ready')
  setInterval(() => {}, 1000)
`

it('a process that is killed leaves no machine behind: the cable goes with the namespace at its other end', async () => {
  const namespace = await Namespace.create()
  const rtnl = await Rtnl.open({ netns: namespace })
  const linkNames = async (): Promise<string[]> => (await rtnl.links.list()).map(({ name }) => name)
  const words = ['--input-type=module', '-e', program, namespace.path()]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [first] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
    expect(String(first)).toBe('ready')
    expect(await linkNames()).toContain('cable')
    child.kill('SIGKILL')
    await expect.poll(linkNames).not.toContain('cable')
  } finally {
    child.kill('SIGKILL')
    rtnl.close()
    namespace.close()
  }
})

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { Namespace } from '../../src/index.js'
import { ownMounts } from '../support/own-mounts.js'
import { nft, run, runIn } from '../support/tools.js'

const EXAMPLE = new URL('../../examples/readme.mjs', import.meta.url)
const README = new URL('../../README.md', import.meta.url)

/** The README's program for the rules, as JavaScript. */
function rulesProgram(): string {
  const code = /```ts\n(.*?)```/s.exec(readFileSync(README, 'utf8'))?.[1] ?? ''
  return ts.transpile(code, { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 })
}

/**
 * Mounts of its own: the names below /run/netns and the state directory are seen by this shell alone. The kernel shows the state of an
 * interface a little after its carrier came.
 */
const SCRIPT = `
set -e
mkdir -p /run/netns
mount -t tmpfs tmpfs /run/netns
mount -t tmpfs tmpfs /var/lib
for name in host web app; do ip netns add $name; done
nsenter --net=/run/netns/host "$1" "$2"
nsenter --net=/run/netns/host "$1" --input-type=module -e "$3"
nsenter --net=/run/netns/host "$1" "$2"
nsenter --net=/run/netns/host nft list ruleset
for attempt in $(seq 600); do
  nsenter --net=/run/netns/web ip -br link show eth0 | grep -q ' UP ' && break
  sleep 0.1
done
nsenter --net=/run/netns/web ip -br addr show eth0
`

describe("the README's program for rules", () => {
  it('drops two ports', async () => {
    const namespace = await Namespace.create()
    try {
      await runIn(namespace, process.execPath, ['--input-type=module', '-e', rulesProgram()])
      expect(await nft(namespace, 'list', 'ruleset')).toContain('tcp dport { 23, 2323 } drop')
    } finally {
      namespace.close()
    }
  })
})

describe("the README's example", () => {
  it('is the program in examples/', () => {
    const code = readFileSync(EXAMPLE, 'utf8').trim()
    expect(readFileSync(README, 'utf8')).toContain(code)
  })

  it('does what it says, in namespaces with the names that it uses; another open adopts and detaches', async () => {
    const again = `
      import { BridgeHost } from 'nfbridge'
      const host = await BridgeHost.open({ state: '/var/lib/nfbridge' })
      console.log(host.networks.map(({ name }) => name).join(), host.container('web').published.join())
      await host.network('docker0').detachAll()
      await host.close()`
    const { code, stdout, stderr } = await run('unshare', [
      ...ownMounts(),
      'sh',
      '-c',
      SCRIPT,
      'sh',
      process.execPath,
      fileURLToPath(EXAMPLE),
      again,
    ])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(stdout.match(/^172\.17\.0\.\d+\tdb [0-9a-f]{12} web$/gm)).toHaveLength(2)
    expect(stdout).toContain('docker0 8080:80/tcp')
    expect(stdout).toContain('tcp . 8080 : 172.17.0.4 . 80')
    expect(stdout).toMatch(/eth0@\S+\s+UP\s+172\.17\.0\.4\/16/)
  })
})

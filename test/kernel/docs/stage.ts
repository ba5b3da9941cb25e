/** Runs the program of a page of docs/ as its reader would: on a host, with containers whose namespaces have names. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Machine } from '../../../lab/machine.js'
import { addAddress, connect, outsideNetwork } from '../../../lab/wiring.js'
import { ownMounts } from '../../support/own-mounts.js'
import { run } from '../../support/tools.js'

/** What a page says: its program, the lines that it says are printed, and the blocks of text that it shows of them. */
export interface Page {
  readonly name: string
  readonly program: string
  readonly lines: readonly string[]
  readonly blocks: readonly string[]
}

/** What became of a page's program. */
export interface Outcome {
  readonly stdout: string
  /** The machines that stood for host, world and containers, by name; the networks are still there. */
  readonly machines: ReadonlyMap<string, Machine>
  close(): Promise<void>
}

const PAGES = new URL('../../../docs/', import.meta.url)
const PROGRAMS = new URL('../../../examples/docs/', import.meta.url)

export function readPage(name: string): Page {
  const text = readFileSync(new URL(`${name}.md`, PAGES), 'utf8')
  const [, program = '', rest = ''] = /^```js\n(.*?)^```$(.*)/ms.exec(text) ?? []
  return {
    name,
    program,
    lines: [...program.matchAll(/(?:^| )\/\/ → (.*)$/gm)].map(([, line = '']) => line),
    blocks: [...rest.matchAll(/^```\n(.*?)^```$/gms)].map(([, block = '']) => block),
  }
}

/** The program in examples/ that a page's block must be equal to. */
export function programOf(name: string): string {
  return readFileSync(new URL(`${name}.mjs`, PROGRAMS), 'utf8')
}

/**
 * Mounts of its own: the names below /run/netns and the state directory are seen by this shell alone. A name is a link to
 * a descriptor of this process, which is what /run/netns has for files.
 */
const SCRIPT = `
set -e
node=$1 program=$2
shift 2
mkdir -p /run/netns
mount -t tmpfs tmpfs /run/netns
mount -t tmpfs tmpfs /var/lib
for machine; do ln -s "\${machine#*=}" "/run/netns/\${machine%%=*}"; done
exec nsenter --net=/run/netns/host "$node" "$program"
`

export async function runPage({ name, program }: Page): Promise<Outcome> {
  const containers = [...program.matchAll(/\/run\/netns\/([\w-]+)/g)].map(([, container = '']) => container)
  const all = await Machine.createAll([...new Set(['host', 'outside', ...containers])])
  const machines = new Map(all.map((machine) => [machine.name, machine]))
  const close = async (): Promise<void> => {
    await Promise.all(all.map((machine) => machine.close()))
  }
  try {
    await connectWorld(machines)
    const { code, stdout, stderr } = await run('unshare', [
      ...[...ownMounts(), 'sh', '-c', SCRIPT, 'sh', process.execPath],
      fileURLToPath(new URL(`${name}.mjs`, PROGRAMS)),
      ...all.map((machine) => `${machine.name}=/proc/${process.pid}/fd/${machine.namespace.fd}`),
    ])
    if (code !== 0 || stderr !== '') throw new Error(`${name}.mjs ended with ${code}: ${stderr}${stdout}`)
    return { stdout, machines, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Addresses for documentation (RFC 5737, RFC 3849); whoever is outside knows the way to every container. */
async function connectWorld(machines: ReadonlyMap<string, Machine>): Promise<void> {
  const [host, outside] = [machines.get('host'), machines.get('outside')]
  if (!host || !outside) throw new Error('a host and an outside machine')
  const { link, hostAddress, outsideAddress } = outsideNetwork
  const toContainers = [
    ...['172.16.0.0/12', '10.88.0.0/16'].map((destination) => ({ destination, gateway: hostAddress })),
    { destination: 'fd00::/8', gateway: '2001:db8::1' },
  ]
  await connect(
    {
      machine: host,
      interface: link,
      address: [`${hostAddress}/24`, '2001:db8::1/64'],
      routes: [
        { destination: '0.0.0.0/0', gateway: outsideAddress },
        { destination: '::/0', gateway: '2001:db8::2' },
      ],
    },
    {
      machine: outside,
      interface: link,
      address: [`${outsideAddress}/24`, '2001:db8::2/64'],
      routes: toContainers,
    },
  )
  // A container of another host, as its peers see it, and somebody far away.
  for (const address of ['172.30.0.2/32', '8.8.8.8/32']) await addAddress(outside, 'lo', address)
}

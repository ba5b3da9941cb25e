/** Row: a host opened with a state directory: what stands is adopted, while a link carries datagrams. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { BridgeHost, type Namespace } from 'nfbridge'
import { LINKS_EACH, linkedContainers, networkOptions } from '../container.js'
import { type Contest, time } from '../contest.js'
import { recordFloor } from '../floor.js'
import type { Surroundings } from '../surroundings.js'

/** Between two datagrams. */
const INTERVAL_US = 500

export async function openContest(surroundings: Surroundings, count: number): Promise<Contest> {
  const { programs, folder } = surroundings
  const place = await surroundings.namespace()
  const floor = await recordFloor(
    programs,
    folder,
    'open',
    count,
    place,
    await surroundings.namespaces(count),
  )
  await floor.prepare()
  const floorName = 'floor: C, the same bytes'
  const notes = [`floor sends: ${floor.description}`, '']
  const packets = { sent: 0, lost: 0 }

  const netns = await surroundings.namespace()
  const state = mkdtempSync(join(folder, 'state-'))
  let host = await BridgeHost.open({ netns, state })
  surroundings.closeLater(() => host.destroy())
  const network = await host.createNetwork(networkOptions)
  const namespaces = await surroundings.namespaces(count)
  const [client, server] = await network.attachAll(linkedContainers(namespaces))
  const [clientSpace, serverSpace] = namespaces
  if (!server || !client || !serverSpace || !clientSpace) throw new Error('no containers')
  const { address } = server
  return {
    id: 'open',
    title: `open that adopts ${count.toLocaleString('en')} containers with ${(count * LINKS_EACH).toLocaleString('en')} links`,
    floor: floorName,
    contestants: [
      { name: floorName, processes: 0, run: () => floor.replay(1) },
      {
        name: 'nfbridge: open',
        processes: 0,
        run: async () => {
          await host.close()
          const flow = watch(programs.echo, serverSpace, clientSpace, address)
          const taken = await time(async () => {
            host = await BridgeHost.open({ netns, state })
          })
          const { sent, lost } = await flow()
          packets.sent += sent
          packets.lost += lost
          notes[1] = `meanwhile a flow through a link sent ${packets.sent.toLocaleString('en')} datagrams; lost: ${packets.lost}`
          return [taken]
        },
      },
    ],
    notes,
  }
}

/** Sends datagrams to port 80 until the function that it returns is called. */
function watch(
  program: string,
  server: Namespace,
  client: Namespace,
  address: string,
): () => Promise<{ readonly sent: number; readonly lost: number }> {
  const words = ['watch', server.path(), client.path(), address, '80', String(INTERVAL_US)]
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += String(chunk)
  })
  const ended = once(child, 'close')
  return async () => {
    child.stdin.end()
    await ended
    const [sent, lost] = text.trim().split(' ').map(Number)
    if (sent === undefined || lost === undefined || sent === 0) throw new Error('no datagram was sent')
    return { sent, lost }
  }
}

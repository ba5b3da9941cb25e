import type { BridgeHost, Container, Network } from 'nfbridge'
import { SILENCE_MS } from '../../lab/machine.js'
import type { SendOutcome } from '../../lab/messages.js'
import { outsideNetwork } from '../../lab/wiring.js'
import {
  type Attempt,
  attemptAll,
  BLOCKED,
  type Destination,
  type Promised,
  reachedAs,
  type Trial,
} from './matrix.js'
import { EXPOSED_PORT, HIDDEN_PORT, type Stage } from './stage.js'

/** One step of the demo: what was done, who then reached whom, and what became of a connection that was open. */
export interface Scene {
  readonly title: string
  readonly call: string
  readonly attempts: readonly Attempt[]
  readonly held?: HeldFlow
}

/** A connection that was open while something was revoked. */
export interface HeldFlow {
  readonly from: string
  readonly to: string
  readonly before: SendOutcome
  readonly after: SendOutcome
  /** Whether it worked before and stopped after. */
  readonly kept: boolean
}

/** Milliseconds that each container's attachment took. */
export type AttachTimes = Map<string, number>

const PUBLISHED_PORT = 8080
const { hostAddress: HOST_ADDRESS, outsideAddress: OUTSIDE_ADDRESS } = outsideNetwork

/** Runs the scenes in order; each leaves the containers as the next one expects them. */
export async function playScenes(stage: Stage, host: BridgeHost, times: AttachTimes): Promise<Scene[]> {
  const scenes: Scene[] = []

  const open = await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', icc: true })
  await attachAll(stage, open, times, 'icc on')
  scenes.push({
    title: 'icc on: everybody reaches everybody, and sees who it is',
    call: "createNetwork({ name: 'docker0', icc: true })",
    attempts: await attemptAll(trials(stage, open, (_from, _to, seen) => reachedAs(seen))),
  })
  await open.destroy()

  const closed = await host.createNetwork({ name: 'docker0', subnet: '172.17.0.0/16', icc: false })
  const { web, app } = await attachAll(stage, closed, times, 'icc off')
  scenes.push({
    title: 'icc off: nobody reaches anybody',
    call: "createNetwork({ name: 'docker0', icc: false })",
    attempts: await attemptAll(trials(stage, closed, () => BLOCKED)),
  })

  await app.link('web:db')
  scenes.push({
    title: `a link: app reaches web's exposed port ("${app.hosts[0]?.text.replace('\t', ' ')}"), one way, nothing else`,
    call: "app.link('web:db')",
    attempts: await attemptAll(
      trials(stage, closed, (from, to, seen) =>
        from === 'app' && to === `web:${EXPOSED_PORT}` ? reachedAs(seen) : BLOCKED,
      ),
    ),
  })

  const connection = await stage.machine('app').holdTcp(web.address, EXPOSED_PORT)
  const before = await connection.send('still there?')
  await app.unlink('web')
  const after = await connection.send('still there?', { timeoutMs: SILENCE_MS })
  await connection.close()
  scenes.push({
    title: 'unlinked while a connection was open: it stops as well',
    call: "app.unlink('web')",
    attempts: await attemptAll(trials(stage, closed, () => BLOCKED)),
    held: {
      from: 'app',
      to: `web:${EXPOSED_PORT}`,
      before,
      after,
      kept: before === 'echo' && after !== 'echo',
    },
  })

  await web.publish(`${PUBLISHED_PORT}:${EXPOSED_PORT}`)
  scenes.push({
    title: `a published port: reached from outside, from the host, from a neighbour and from itself; no other way in`,
    call: `web.publish('${PUBLISHED_PORT}:${EXPOSED_PORT}')`,
    attempts: await attemptAll(publishedTrials(stage, closed, web)),
  })
  return scenes
}

async function attachAll(
  stage: Stage,
  network: Network,
  times: AttachTimes,
  label: string,
): Promise<{ web: Container; app: Container }> {
  const attached: Record<string, Container> = {}
  for (const machine of stage.containers) {
    const { name, namespace } = machine
    const start = performance.now()
    attached[name] = await network.attach({ name, netns: namespace, expose: [`${EXPOSED_PORT}/tcp`] })
    times.set(`${name}, ${label}`, performance.now() - start)
  }
  const { web, app } = attached
  if (!web || !app) throw new Error('web and app are not on the stage')
  return { web, app }
}

/** From every container to both ports of every other, and to the outside, which is always reached as the host. */
function trials(
  stage: Stage,
  network: Network,
  promise: (from: string, to: string, seen: string) => Promised,
): Trial[] {
  return stage.containers.flatMap((from) => {
    const seen = network.container(from.name)?.address ?? ''
    const neighbours = network.containers
      .filter(({ name }) => name !== from.name)
      .flatMap(({ name, address }) =>
        [EXPOSED_PORT, HIDDEN_PORT].map((port): Trial => {
          const to: Destination = { label: `${name}:${port}`, address, port }
          return { from, to, promised: promise(from.name, to.label, seen) }
        }),
      )
    return [...neighbours, { from, to: outside(), promised: reachedAs(HOST_ADDRESS) }]
  })
}

function outside(): Destination {
  return { label: `outside:${EXPOSED_PORT}`, address: OUTSIDE_ADDRESS, port: EXPOSED_PORT }
}

/** Who has a loopback address or is on the same bridge is seen as the gateway, all others as themselves. */
function publishedTrials(stage: Stage, network: Network, web: Container): Trial[] {
  const at = (address: string): Destination => ({
    label: `${address}:${PUBLISHED_PORT}`,
    address,
    port: PUBLISHED_PORT,
  })
  const direct: Destination = { label: `web:${EXPOSED_PORT}`, address: web.address, port: EXPOSED_PORT }
  const machine = (name: string) => stage.machine(name)
  return [
    { from: machine('outside'), to: at(HOST_ADDRESS), promised: reachedAs(OUTSIDE_ADDRESS) },
    { from: machine('outside'), to: direct, promised: BLOCKED },
    { from: machine('host'), to: at('127.0.0.1'), promised: reachedAs(network.gateway) },
    { from: machine('host'), to: at(HOST_ADDRESS), promised: reachedAs(HOST_ADDRESS) },
    { from: machine('spy'), to: at(HOST_ADDRESS), promised: reachedAs(network.gateway) },
    { from: machine('spy'), to: direct, promised: BLOCKED },
    { from: machine('web'), to: at(HOST_ADDRESS), promised: reachedAs(network.gateway) },
  ]
}

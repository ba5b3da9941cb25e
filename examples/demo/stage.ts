import { Rtnl } from 'nfbridge/rtnl'
import { Machine } from '../../lab/machine.js'
import { connect } from '../../lab/wiring.js'

/** The machines of the demo: a host, somebody outside, and three containers, each a network namespace with real servers. */
export interface Stage {
  readonly host: Machine
  readonly outside: Machine
  readonly containers: readonly Machine[]
  machine(name: string): Machine
  close(): Promise<void>
}

/** Documentation addresses (RFC 5737): nothing of this leaves the namespaces. */
export const HOST_ADDRESS = '203.0.113.1'
export const OUTSIDE_ADDRESS = '203.0.113.2'

/** Every container and the outside machine serve these; containers expose the first one only. */
export const EXPOSED_PORT = 80
export const HIDDEN_PORT = 9000

export const CONTAINERS = ['web', 'app', 'spy'] as const

export async function setStage(): Promise<Stage> {
  const machines = await Machine.createAll(['host', 'outside', ...CONTAINERS])
  const machine = (name: string): Machine => {
    const found = machines.find((candidate) => candidate.name === name)
    if (!found) throw new Error(`there is no machine ${name}`)
    return found
  }
  const close = async (): Promise<void> => {
    await Promise.all(machines.map((each) => each.close()))
  }
  try {
    const host = machine('host')
    const outside = machine('outside')
    await connect(
      { machine: host, interface: 'ext0', address: `${HOST_ADDRESS}/24` },
      { machine: outside, interface: 'eth0', address: `${OUTSIDE_ADDRESS}/24` },
    )
    // It knows the way to the containers, so that what it does not reach is kept from it by rules.
    const rtnl = await Rtnl.open({ netns: outside.namespace })
    await rtnl.routes.create({ destination: '172.17.0.0/16', gateway: HOST_ADDRESS })
    rtnl.close()
    const containers = CONTAINERS.map(machine)
    await Promise.all(
      [outside, ...containers].flatMap((each) => [each.serveTcp(EXPOSED_PORT), each.serveTcp(HIDDEN_PORT)]),
    )
    return { host, outside, containers, machine, close }
  } catch (error) {
    await close()
    throw error
  }
}

import { Machine } from '../../lab/machine.js'
import { connectOutside } from '../../lab/wiring.js'

/** The machines of the demo: a host, somebody outside, and three containers, each a network namespace with real servers. */
export interface Stage {
  readonly host: Machine
  readonly outside: Machine
  readonly containers: readonly Machine[]
  machine(name: string): Machine
  close(): Promise<void>
}

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
    // It knows the way to the containers, so that what it does not reach is kept from it by rules.
    await connectOutside(host, outside, ['172.17.0.0/16'])
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

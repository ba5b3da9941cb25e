/**
 * Machines for many short settings: each in a new namespace, so that nothing of the one before is left, but with a thread that
 * was used before, because starting one takes longer than all the rest.
 */
import { Namespace } from 'nfbridge'
import { AgentThread } from './agent-thread.js'
import { Machine } from './machine.js'

export class MachinePool {
  readonly #idle: AgentThread[] = []
  readonly #all: AgentThread[] = []
  /** Where threads wait between two machines, so that they hold no namespace that is to go. */
  #waitingRoom: Promise<Namespace> | undefined

  /** A machine; its thread comes back when it is closed. */
  async create(name: string): Promise<Machine> {
    this.#waitingRoom ??= Namespace.create()
    const waitingRoom = await this.#waitingRoom
    const agent = this.#idle.pop() ?? (await this.#start(waitingRoom))
    return Machine.createWith(name, agent, async () => {
      await agent.enter('nobody', waitingRoom.fd)
      this.#idle.push(agent)
    })
  }

  /** Several machines at once, in the order of their names. */
  createAll(names: readonly string[]): Promise<Machine[]> {
    return Promise.all(names.map((name) => this.create(name)))
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await Promise.all(this.#all.map((agent) => agent.end()))
    const waitingRoom = await this.#waitingRoom
    waitingRoom?.close()
  }

  async #start(waitingRoom: Namespace): Promise<AgentThread> {
    const agent = await AgentThread.start({ name: 'nobody', namespaceFd: waitingRoom.fd, moves: true })
    this.#all.push(agent)
    return agent
  }
}

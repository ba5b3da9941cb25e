import type { IPAddress } from '../../address/index.js'
import type { AdvertiseRecord } from '../plan/advertise.js'
import type { EndpointRecord } from '../plan/records.js'
import type { HostKernel } from './host-kernel.js'

/** What is told of one interface. */
interface Task {
  readonly endpoint: EndpointRecord
  readonly addresses: readonly IPAddress[]
  readonly interval: number
  timer: NodeJS.Timeout | undefined
}

/**
 * Tells everybody on a bridge where addresses are, once or more often: from the bridge itself, by a socket that stays open. That it
 * fails is no failure of a call: it is a courtesy. What is left when the host is closed is not sent.
 */
export class Advertiser {
  readonly #kernel: Pick<HostKernel, 'announce'>
  /** By the interface's end on the host. */
  readonly #tasks = new Map<string, Task>()

  constructor(kernel: Pick<HostKernel, 'announce'>) {
    this.#kernel = kernel
  }

  /** The first time when it resolves, and the others later. */
  async advertise(
    endpoint: EndpointRecord,
    addresses: readonly IPAddress[],
    { count, interval }: AdvertiseRecord,
  ): Promise<void> {
    this.stop(endpoint)
    if (count === 0 || addresses.length === 0) return
    const task: Task = { endpoint, addresses, interval, timer: undefined }
    this.#tasks.set(endpoint.hostInterface, task)
    await this.#send(task, count)
  }

  /** Of an interface that goes. */
  stop({ hostInterface }: Pick<EndpointRecord, 'hostInterface'>): void {
    clearTimeout(this.#tasks.get(hostInterface)?.timer)
    this.#tasks.delete(hostInterface)
  }

  close(): void {
    for (const { endpoint } of [...this.#tasks.values()]) this.stop(endpoint)
  }

  async #send(task: Task, count: number): Promise<void> {
    const { endpoint, addresses, interval } = task
    await this.#kernel.announce(endpoint.bridge, endpoint.mac, addresses).catch(() => undefined)
    // Somebody may have stopped it meanwhile.
    if (this.#tasks.get(endpoint.hostInterface) !== task) return
    if (count === 1) this.stop(endpoint)
    else {
      task.timer = setTimeout(() => void this.#send(task, count - 1), interval)
      // A program that has nothing else to do need not stay for it.
      task.timer.unref()
    }
  }
}

/** Rows: attach, link and detach of one container beside few and beside many others. */
import { BridgeHost, type Namespace } from 'nfbridge'
import { Rtnl, type RtnlOperation } from 'nfbridge/rtnl'
import { addContainer, type Container, containerOptions, type Network } from '../container.js'
import { type Contest, type Contestant, time } from '../contest.js'
import type { Surroundings } from '../surroundings.js'

const FEW = 10
/** Containers that come and go, or are linked, in a round; the round's value is their median. */
const A_ROUND = 6
const WARM_UP_ROUNDS = 12
/** Containers that are attached in one call. */
const A_CALL = 1_000

/** @param many containers that stand meanwhile */
export async function scaleContests(surroundings: Surroundings, many: number): Promise<Contest[]> {
  const small = await Place.make(surroundings, FEW)
  const large = await Place.make(surroundings, many)
  const contest = (what: 'attach' | 'link' | 'detach', notes: readonly string[]): Contest => ({
    id: `scale-${what}`,
    title: `${what} of one container beside ${FEW} and ${many.toLocaleString('en')}`,
    floor: small.nameOf(what),
    contestants: [small, large].flatMap((place) => [
      place.contestant(what),
      ...(what === 'link' ? [] : [place.kernel(what)]),
    ]),
    notes,
  })
  const veth =
    'kernel: the interface pair alone, made a port of a bridge of those, or deleted, by our rtnetlink'
  return [contest('attach', [veth]), contest('link', []), contest('detach', [veth])]
}

/** A host with containers that stand, on a network of six bridges. */
class Place {
  readonly #network: Network
  readonly #rtnl: Rtnl
  readonly #standing: number
  readonly #spaces: readonly Namespace[]
  /** Containers that stay, to be linked. */
  readonly #clients: readonly Container[]
  readonly #pairSpace: Namespace

  private constructor(
    network: Network,
    rtnl: Rtnl,
    standing: number,
    spaces: readonly Namespace[],
    clients: readonly Container[],
    pairSpace: Namespace,
  ) {
    this.#network = network
    this.#rtnl = rtnl
    this.#standing = standing
    this.#spaces = spaces
    this.#clients = clients
    this.#pairSpace = pairSpace
  }

  static async make(surroundings: Surroundings, standing: number): Promise<Place> {
    const netns = await surroundings.namespace()
    const host = await BridgeHost.open({ netns })
    surroundings.closeLater(() => host.destroy())
    const network = await host.createNetwork({
      name: 'docker0',
      subnet: '10.0.0.0/16',
      icc: false,
      bridges: 6,
    })
    const containers = await surroundings.namespaces(standing)
    for (let done = 0; done < standing; done += A_CALL) {
      const some = containers.slice(done, done + A_CALL)
      await network.attachAll(
        some.map((each, number) => ({ ...containerOptions(each), name: `c${done + number}` })),
      )
    }
    const rtnl = await Rtnl.open({ netns })
    surroundings.closeLater(() => rtnl.close())
    const clients = await network.attachAll((await surroundings.namespaces(A_ROUND)).map(containerOptions))
    const spaces = await surroundings.namespaces(A_ROUND)
    const place = new Place(network, rtnl, standing, spaces, clients, await surroundings.namespace())
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
      await place.#comeAndGo()
      await place.#link()
    }
    return place
  }

  nameOf(what: string): string {
    return `nfbridge: ${what}, ${this.#standing.toLocaleString('en')} standing`
  }

  contestant(what: 'attach' | 'link' | 'detach'): Contestant {
    const run = what === 'link' ? () => this.#link() : async () => (await this.#comeAndGo())[what]
    return { name: this.nameOf(what), processes: 0, run }
  }

  /** Least that can be done: an interface pair as ours are, and no rules. */
  kernel(what: 'attach' | 'detach'): Contestant {
    return {
      name: `kernel: ${what}, ${this.#standing.toLocaleString('en')} standing`,
      processes: 0,
      run: async () => {
        const taken = { attach: [], detach: [] } as Readonly<Record<'attach' | 'detach', number[]>>
        const { index: master } = await this.#rtnl.links.get('docker0')
        for (let times = 0; times < A_ROUND; times += 1) {
          taken.attach.push(await time(() => this.#rtnl.apply([pair(this.#pairSpace, master)])))
          taken.detach.push(
            await time(() => this.#rtnl.apply([{ kind: 'link', action: 'delete', link: { device: PAIR } }])),
          )
        }
        return taken[what]
      },
    }
  }

  async #comeAndGo(): Promise<{ readonly attach: number[]; readonly detach: number[] }> {
    const attach: number[] = []
    const detach: number[] = []
    const came: Container[] = []
    for (const netns of this.#spaces) {
      attach.push(
        await time(async () => {
          came.push(await addContainer(this.#network, netns))
        }),
      )
    }
    for (const container of came) detach.push(await time(() => container.detach()))
    return { attach, detach }
  }

  async #link(): Promise<number[]> {
    const taken: number[] = []
    for (const client of this.#clients)
      taken.push(await time(() => client.link({ container: 'c0', alias: 'server' })))
    for (const client of this.#clients) await client.unlink('server')
    return taken
  }
}

const PAIR = 'vethbench'

function pair(netns: Namespace, master: number): RtnlOperation {
  const queues = { txQueues: 1, rxQueues: 1 }
  const link = {
    ...queues,
    kind: 'veth',
    name: PAIR,
    master,
    up: true,
    peer: { ...queues, name: 'eth0', netns },
  }
  return { kind: 'link', action: 'create', link: { ...link, kind: 'veth' } }
}

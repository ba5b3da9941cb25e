import type { SocketHandle } from '../native/addon.js'
import { Packer } from '../native/pack.js'
import type { Interfaces } from './datatype/index.js'
import { RangedCache } from './ranged-cache.js'
import { ToldSets } from './told-sets.js'

/**
 * A socket with what the calls on it share. The socket does its calls in their order, but a call that works in slices
 * before it has something to send would be overtaken: those who come after it wait for it here.
 */
export class Connection {
  readonly socket: SocketHandle
  /** Reads the interfaces of the namespace, for rules that name them. */
  readonly readInterfaces: (() => Promise<Interfaces>) | undefined
  /** For batches that are compiled and handed to the socket at one go. */
  readonly packer: Packer = new Packer()
  /** What interval sets hold. */
  readonly ranged: RangedCache = new RangedCache()
  /** What the kernel told of sets that callers named without their types or flags. */
  readonly told: ToldSets = new ToldSets()
  /** Of large batches, for the next one. */
  #spare: Packer | undefined
  #preparing: Promise<void> | undefined

  constructor(socket: SocketHandle, readInterfaces?: () => Promise<Interfaces>) {
    this.socket = socket
    this.readInterfaces = readInterfaces
  }

  /** Who prepares something now; settles when that is handed to the socket. Never fails. */
  get preparing(): Promise<void> | undefined {
    return this.#preparing
  }

  /**
   * Prepares a call after those before it, and holds back those after it until it is handed to the socket.
   * @param prepare gives the promise of the call in an object, which would else be awaited here
   */
  async inOrder<T>(prepare: () => Promise<{ readonly call: Promise<T> }>): Promise<T> {
    const before = this.#preparing
    const prepared = (async () => {
      await before
      return prepare()
    })()
    const settled: Promise<void> = prepared
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        if (this.#preparing === settled) this.#preparing = undefined
      })
    this.#preparing = settled
    const { call } = await prepared
    return call
  }

  /** A packer of one's own, for as long as a batch is compiled in slices. */
  takePacker(): Packer {
    const packer = this.#spare ?? new Packer()
    this.#spare = undefined
    packer.reset()
    return packer
  }

  /** Its words are in the hands of the socket. */
  giveBack(packer: Packer): void {
    this.#spare = packer
  }
}

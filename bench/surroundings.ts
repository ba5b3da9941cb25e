/** What every row gets: the compiled programs, a folder, the peers, and a place to leave what must be closed. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Namespace } from 'nfbridge'
import type { Peers } from './peers.js'
import type { Programs } from './programs.js'

export class Surroundings {
  readonly programs: Programs
  readonly peers: Peers
  /** A temporary folder, removed at the end. */
  readonly folder: string
  readonly #closers: (() => unknown)[] = []

  constructor(programs: Programs, peers: Peers, folder: string) {
    this.programs = programs
    this.peers = peers
    this.folder = folder
  }

  /** A namespace for one contestant; closed at the end. */
  async namespace(): Promise<Namespace> {
    const namespace = await Namespace.create()
    this.closeLater(() => namespace.close())
    return namespace
  }

  /** Calls this at the end; what was left last is closed first. */
  closeLater(closer: () => unknown): void {
    this.#closers.push(closer)
  }

  /** Writes a file for a peer and returns its path. */
  file(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }

  async close(): Promise<void> {
    for (const closer of this.#closers.splice(0).reverse()) await closer()
  }
}

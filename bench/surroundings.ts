/** What every row gets: the compiled programs, a folder, the peers, and a place to leave what must be closed. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Namespace } from 'nfbridge'
import { createNamespaces } from './container.js'
import type { Contestant } from './contest.js'
import type { Peers } from './peers.js'
import type { Programs } from './programs.js'

export class Surroundings {
  readonly programs: Programs
  readonly peers: Peers
  /** A temporary folder, removed at the end. */
  readonly folder: string
  readonly #closers: (() => unknown)[] = []
  readonly #files = new Map<string, string>()

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

  /** Many namespaces; closed at the end. */
  async namespaces(count: number): Promise<Namespace[]> {
    const made = await createNamespaces(count)
    this.closeLater(() => {
      for (const namespace of made) namespace.close()
    })
    return made
  }

  /** Calls this at the end; what was left last is closed first. */
  closeLater(closer: () => unknown): void {
    this.#closers.push(closer)
  }

  /**
   * Another program's way, tried once; nothing, and a note, where it does not work here: without privileges `nft -f` and
   * iptables cannot send 10,000 rules, for example.
   */
  async attempt(name: string, notes: string[], create: () => Promise<Contestant>): Promise<Contestant[]> {
    try {
      const contestant = await create()
      await contestant.run()
      return [contestant]
    } catch (error) {
      const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n')
      notes.push(`left out: ${name}: ${lines.at(-1)}`)
      return []
    }
  }

  /** The path of a file with this text, for a peer; written once, since another peer may be reading it by now. */
  file(name: string, text: string): string {
    const path = join(this.folder, name)
    const written = this.#files.get(name)
    if (written !== undefined && written !== text)
      throw new Error(`${name} is written already, with other text`)
    if (written === undefined) writeFileSync(path, text, { mode: 0o600 })
    this.#files.set(name, text)
    return path
  }

  /** Closes all, also when one of them fails. */
  async close(): Promise<void> {
    const errors: unknown[] = []
    for (const closer of this.#closers.splice(0).reverse()) {
      try {
        await closer()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0)
      throw new AggregateError(errors, `not cleaned up: ${errors.map(String).join('; ')}`)
  }
}

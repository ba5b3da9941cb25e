/** Connections that stay open while something changes: they live on, or stop. */
import { answerLimit, type HeldConnection } from '../lab/machine.js'
import type { Family } from './matrix.js'
import { type Attempt, attempts, parties } from './universe.js'
import type { World } from './world.js'

export interface Held {
  readonly text: string
  readonly connection: HeldConnection
}

/** A row of `held`. */
export interface HeldRow {
  readonly text: string
  readonly fate: 'lives' | 'stops'
}

export interface HeldResult {
  readonly text: string
  readonly expected: HeldRow['fate']
  readonly got: string
  readonly ok: boolean
}

/** `app -> web 80/tcp: lives`, a line for each. */
export function parseHeld(text: string): HeldRow[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.lastIndexOf(': ')
      const fate = line.slice(colon + 2)
      if (colon < 0 || (fate !== 'lives' && fate !== 'stops')) throw new Error(`no fate in "${line}"`)
      return { text: line.slice(0, colon), fate }
    })
}

/** Opens a connection: `app -> web 80/tcp`, or to `web@docker0`; IPv4 unless `(ipv6)` is said. */
export async function hold(world: World, text: string): Promise<Held> {
  const [, from = '', to = '', port = '', v6] =
    /^(\S+) -> (\S+) (\d+\/(?:tcp|udp))( \(ipv6\))?$/.exec(text) ?? []
  const family: Family = v6 === undefined ? 4 : 6
  const { target } = find(world, { from, to, port, family }, text)
  const [number, protocol] = port.split('/')
  const machine = world.machine(from)
  const open = protocol === 'udp' ? machine.holdUdp : machine.holdTcp
  return {
    text,
    connection: await open.call(machine, target.address, Number(number)),
  }
}

/** What became of each connection; those that stopped are closed. */
export async function checkHeld(held: readonly Held[], rows: readonly HeldRow[]): Promise<HeldResult[]> {
  for (const { text } of rows) {
    if (!held.some((one) => one.text === text)) throw new Error(`"${text}" is not held`)
  }
  return Promise.all(
    held.map(async ({ text, connection }) => {
      const row = rows.find((one) => one.text === text)
      if (!row) throw new Error(`nothing is said of the connection "${text}"`)
      const timeoutMs = answerLimit(row.fate === 'lives')
      const outcome = await connection.send('still there?', { timeoutMs })
      const got = outcome === 'echo' ? 'lives' : 'stops'
      return { text, expected: row.fate, got: `${got} (${outcome})`, ok: got === row.fate }
    }),
  )
}

function find(
  world: World,
  wanted: { from: string; to: string; port: string; family: Family },
  text: string,
): Attempt {
  const [machine, at] = wanted.to.split('@')
  const found = attempts(world, parties(world)).find(
    ({ from, target, port, family }) =>
      from.name === wanted.from &&
      family === wanted.family &&
      port === wanted.port &&
      (target.machine === machine || (machine === 'localhost' && target.at === 'lo')) &&
      (at === undefined || target.at === at),
  )
  if (found) return found
  throw new Error(`there is nothing to hold as "${text}"`)
}

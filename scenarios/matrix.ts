/**
 * Expectations as text. A row is `FROM -> TO [PORTS] [(ipv4|ipv6)]: OUTCOME [| OUTCOME]`, for example
 *
 *     app -> web 80/tcp, icmp: reached
 *     outside -> host 8080/tcp: reached web as outside
 *     containers -> outside (ipv6): unreachable
 *     * -> *: blocked
 *
 * FROM: machines, `containers`, or `*`. TO: the same, `NAME@NETWORK` for a container or `host` on one network, `host@uplink`,
 * `localhost`, or an address. `host` means all the host's addresses. PORTS: `80/tcp`, `8000-8009/tcp`, `tcp`, `icmp`, or none for
 * all. OUTCOME: `blocked` (silence), `unanswered` (silence, though an echo request arrived), `refused`, `unreachable` (at once), or `reached [SERVER] [as SOURCE]`; SERVER is the machine that
 * answers, by default whose address it is; SOURCE the address that it sees, by default one that the sender has.
 * The first row that fits decides.
 */
export type Family = 4 | 6

export type Outcome =
  | { readonly kind: 'blocked' }
  | { readonly kind: 'unanswered' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'reached'; readonly server: string | undefined; readonly as: string | undefined }

export interface Row {
  readonly text: string
  readonly from: readonly string[]
  readonly to: readonly string[]
  readonly ports: readonly string[]
  readonly family: Family | undefined
  readonly outcomes: readonly Outcome[]
}

/** What a row is asked about. */
export interface Question {
  readonly from: string
  /** Whether the sender is a container. */
  readonly fromContainer: boolean
  readonly target: TargetName
  /** `80/tcp` or `icmp`. */
  readonly port: string
  readonly family: Family
}

/** The names by which rows call an address. */
export interface TargetName {
  /** The machine that has it; the address itself where none has. */
  readonly machine: string
  /** `docker0`, `uplink`, `lo`. */
  readonly at: string
  readonly container: boolean
  readonly address: string
}

const PORT = /^(icmp|tcp|udp|sctp|\d+(-\d+)?\/(tcp|udp|sctp))$/

/** @throws Error naming the row that is none */
export function parseMatrix(text: string): Row[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseRow)
}

function parseRow(text: string): Row {
  const colon = text.lastIndexOf(': ')
  const [from = '', to = '', ...rest] = text.slice(0, colon).split(' -> ')
  if (colon < 0 || to === '' || rest.length > 0) throw new Error(`no row of a matrix: "${text}"`)
  const words = to.split(/[\s,]+/).filter((word) => word !== '')
  const last = words.at(-1)
  const family = last === '(ipv4)' ? 4 : last === '(ipv6)' ? 6 : undefined
  if (family !== undefined) words.pop()
  const targets = words.filter((word) => !PORT.test(word))
  const ports = words.filter((word) => PORT.test(word))
  if (targets.length === 0 || words.indexOf(ports[0] ?? '') === 0)
    throw new Error(`a row without a target: "${text}"`)
  return {
    text,
    from: from.split(/[\s,]+/).filter((word) => word !== ''),
    to: targets,
    ports,
    family,
    outcomes: text
      .slice(colon + 2)
      .split('|')
      .map((outcome) => parseOutcome(outcome.trim(), text)),
  }
}

function parseOutcome(text: string, row: string): Outcome {
  const [kind, ...words] = text.split(/\s+/)
  if (kind === 'blocked' || kind === 'unanswered' || kind === 'refused' || kind === 'unreachable') {
    if (words.length === 0) return { kind }
  } else if (kind === 'reached') {
    const as = words.indexOf('as')
    const before = as < 0 ? words : words.slice(0, as)
    const after = as < 0 ? [] : words.slice(as + 1)
    if (before.length <= 1 && after.length === (as < 0 ? 0 : 1))
      return { kind, server: before[0], as: after[0] }
  }
  throw new Error(`no outcome "${text}" in the row "${row}"`)
}

/** The row that decides; undefined when none fits. */
export function decide(rows: readonly Row[], question: Question): Row | undefined {
  return rows.find((row) => fits(row, question))
}

function fits(row: Row, { from, fromContainer, target, port, family }: Question): boolean {
  return (
    (row.family === undefined || row.family === family) &&
    row.from.some((word) => word === '*' || word === from || (word === 'containers' && fromContainer)) &&
    row.to.some((word) => fitsTarget(word, target)) &&
    (row.ports.length === 0 || row.ports.some((word) => fitsPort(word, port)))
  )
}

function fitsTarget(word: string, { machine, at, container, address }: TargetName): boolean {
  if (word === '*' || word === machine || word === address || word === `${machine}@${at}`) return true
  if (word === 'containers') return container
  return word === 'localhost' && at === 'lo'
}

function fitsPort(word: string, port: string): boolean {
  const [number = '', protocol = number] = word.split('/')
  const [probed = '', probedProtocol = probed] = port.split('/')
  if (protocol !== probedProtocol) return false
  if (number === protocol) return true
  const [first = 0, last = first] = number.split('-').map(Number)
  return Number(probed) >= first && Number(probed) <= last
}

/** A short text of an outcome, for reports. */
export function outcomeText(outcome: Outcome): string {
  if (outcome.kind !== 'reached') return outcome.kind
  const server = outcome.server === undefined ? '' : ` ${outcome.server}`
  return `reached${server}${outcome.as === undefined ? '' : ` as ${outcome.as}`}`
}

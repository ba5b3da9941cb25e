/** Our lines in a hosts file that others write as well: a block between two comments. */
import { isIP } from 'node:net'
import { parseAddress } from '../../address/index.js'

const BEGIN = '# Begin of the lines of nfbridge'
const END = '# End of the lines of nfbridge'

/**
 * A hosts file with our lines in it, in the place of those that we wrote before. All others stay as they are; what they say of
 * localhost already is not said again.
 * @param current the file as it is; undefined: there is none
 * @param own our lines, each with its newline
 * @param former our lines before, by which they are known where somebody took a comment away
 */
export function withOwnLines(current: string | undefined, own: string, former = ''): string {
  const { before, after } = withoutOwnLines(current ?? '', former)
  const ours = linesOf(own)
  const asked = new Set(ours.filter(isSaidOnce).flatMap(namesOf))
  const others = new Set([...before, ...after].flatMap((line) => namings(line, asked)))
  const lines = ours.flatMap((line) => unsaid(line, others))
  return [...before, BEGIN, ...lines, END, ...after].map((line) => `${line}\n`).join('')
}

/** Whether there is such a block in a hosts file. */
export function hasOwnLines(text: string): boolean {
  return linesOf(text).includes(BEGIN)
}

function withoutOwnLines(text: string, former: string): { before: string[]; after: string[] } {
  const lines = linesOf(text)
  const [begin, end] = [lines.indexOf(BEGIN), lines.lastIndexOf(END)]
  if (begin >= 0 && end > begin) return { before: lines.slice(0, begin), after: lines.slice(end + 1) }
  if (begin < 0 && end < 0) return { before: lines, after: [] }
  const ours = new Set([BEGIN, END, ...linesOf(former)])
  return { before: lines.filter((line) => !ours.has(line)), after: [] }
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

/** A file without our lines. */
export function othersLines(current: string, former = ''): string {
  const { before, after } = withoutOwnLines(current, former)
  return [...before, ...after].map((line) => `${line}\n`).join('')
}

function namesOf(line: string): string[] {
  return line.toLowerCase().split(/\s+/).slice(1)
}

/**
 * What a line says of the names that are asked for: its address with each of them, without the comment. The address as we write it:
 * `fe00::0` is `fe00::`. Others may have written whatever there is room for, and most of it is not asked for.
 */
function namings(line: string, asked: ReadonlySet<string>): string[] {
  const [said = ''] = line.split('#', 1)
  const names = said === '' ? [] : namesOf(said.trim()).filter((name) => asked.has(name))
  if (names.length === 0) return []
  const address = written(said.trim().split(/\s/, 1)[0] ?? '')
  return names.map((name) => `${address} ${name}`)
}

function written(address: string): string {
  return isAddress(address) ? String(parseAddress(address)) : address
}

function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%')
}

/** Of localhost and IPv6's groups only what others do not say: where they name a container, ours say who it is now. */
function unsaid(line: string, others: ReadonlySet<string>): string[] {
  if (!isSaidOnce(line)) return [line]
  const [address = '', ...names] = line.split(/\s+/)
  const left = names.filter((name) => !others.has(`${written(address)} ${name.toLowerCase()}`))
  if (left.length === names.length) return [line]
  return left.length === 0 ? [] : [`${address}\t${left.join(' ')}`]
}

function isSaidOnce(line: string): boolean {
  return /^(127\.|::1\s|f[ef]0)/.test(line)
}

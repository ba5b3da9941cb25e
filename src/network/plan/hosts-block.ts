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
  const others = new Set([...before, ...after].flatMap(namings))
  const lines = linesOf(own).flatMap((line) => unsaid(line, others))
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

/** What a line says: its address with each of its names, without the comment. The address as we write it: `fe00::0` is `fe00::`. */
function namings(line: string): string[] {
  const [said = ''] = line.split('#')
  const [address = '', ...names] = said.trim().split(/\s+/)
  return names.map((name) => naming(address, name))
}

function naming(address: string, name: string): string {
  return `${isAddress(address) ? parseAddress(address) : address} ${name.toLowerCase()}`
}

function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%')
}

/** Of localhost and IPv6's groups only what others do not say: where they name a container, ours say who it is now. */
function unsaid(line: string, others: ReadonlySet<string>): string[] {
  if (!/^(127\.|::1\s|f[ef]0)/.test(line)) return [line]
  const [address = '', ...names] = line.split(/\s+/)
  const left = names.filter((name) => !others.has(naming(address, name)))
  if (left.length === names.length) return [line]
  return left.length === 0 ? [] : [`${address}\t${left.join(' ')}`]
}

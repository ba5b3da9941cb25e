/** Our lines in a hosts file that others write as well: a block between two comments. */

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
  const lines = linesOf(own).filter((line) => !isSaid(line, others))
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

/** What a line says: its address with each of its names, without the comment. */
function namings(line: string): string[] {
  const [said = ''] = line.split('#')
  const [address, ...names] = said.trim().split(/\s+/)
  return names.map((name) => `${address} ${name}`)
}

/** Only lines of localhost and IPv6's groups are left out: where others name a container, ours say who it is now. */
function isSaid(line: string, others: ReadonlySet<string>): boolean {
  return /^(127\.|::1\s|f[ef]0)/.test(line) && namings(line).every((naming) => others.has(naming))
}

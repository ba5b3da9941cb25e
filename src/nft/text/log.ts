import { isNode, list, quoted, words } from './node.js'

/** `log prefix "x" group 5 snaplen 32 queue-threshold 3`, `log level debug flags tcp sequence,options` */
export function logText(value: unknown): string {
  if (!isNode(value)) return 'log'
  const { prefix, level, flags, group, snaplen, 'queue-threshold': threshold } = value
  return words(
    'log',
    prefix !== undefined && `prefix ${quoted(prefix)}`,
    group !== undefined && `group ${String(group)}`,
    snaplen !== undefined && `snaplen ${String(snaplen)}`,
    threshold !== undefined && `queue-threshold ${String(threshold)}`,
    level !== undefined && level !== 'warn' && `level ${String(level)}`,
    flagsText(list(flags)),
  )
}

function flagsText(flags: readonly unknown[]): string {
  const tcp = ['sequence', 'options'].filter((name) => flags.includes(`tcp ${name}`))
  return words(
    tcp.length > 0 && `flags tcp ${tcp.join(',')}`,
    ...flags.filter((flag) => !String(flag).startsWith('tcp ')).map((flag) => `flags ${String(flag)}`),
  )
}

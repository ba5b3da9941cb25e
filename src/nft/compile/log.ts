import { encodeText, InvalidValue, quote } from '../datatype/index.js'
import { LOG_PREFIX_MAX, LogFlags, LogLevels } from '../kernel/constants.js'
import type { LogStatement } from '../model/index.js'
import type { LogData } from './kernel-expression.js'
import type { Draft } from './message.js'
import type { RuleContext } from './rule-context.js'

const flagBits: ReadonlyMap<string, number> = new Map(Object.entries(LogFlags))
const levels: ReadonlyMap<string, number> = new Map(Object.entries(LogLevels))

/** `log …`: to the kernel log, or to a group of nfnetlink_log; the trail stands at its object. */
export function compileLog(context: RuleContext, log: LogStatement['log']): void {
  const data: Draft<LogData> = {}
  if (log?.prefix !== undefined) data.prefix = checkPrefix(log.prefix)
  if (log?.group === undefined) kernelLog(log ?? {}, data)
  else groupLog(log, log.group, data)
  context.out.push({ name: 'log', data })
}

type Log = NonNullable<LogStatement['log']>

function checkPrefix(prefix: string): string {
  if (typeof prefix !== 'string' || encodeText(prefix).length > LOG_PREFIX_MAX)
    throw new InvalidValue(
      `${quote(prefix)} is no prefix: text of at most ${LOG_PREFIX_MAX} bytes is expected`,
    )
  return prefix
}

function kernelLog(log: Log, data: { level?: number; flags?: number }): void {
  if (log.snaplen !== undefined || log['queue-threshold'] !== undefined)
    throw new InvalidValue('snaplen and queue-threshold need a group')
  if (log.level !== undefined) {
    const level = levels.get(log.level)
    if (level === undefined) throw new InvalidValue(`${quote(log.level)} is no level of the log`)
    data.level = level
  }
  if (log.flags === undefined) return
  let bits = 0
  for (const flag of [log.flags].flat()) {
    const bit = flagBits.get(flag)
    if (bit === undefined) throw new InvalidValue(`${quote(flag)} is no flag of log`)
    bits |= bit
  }
  data.flags = bits
}

function groupLog(
  log: Log,
  group: number,
  data: { group?: number; snaplen?: number; qthreshold?: number },
): void {
  if (log.level !== undefined || log.flags !== undefined)
    throw new InvalidValue('level and flags belong to the kernel log, not to a group')
  data.group = checkNumber(group, 0xffff, 'group')
  if (log.snaplen !== undefined) data.snaplen = checkNumber(log.snaplen, 0xffffffff, 'snaplen')
  const threshold = log['queue-threshold']
  if (threshold !== undefined) data.qthreshold = checkNumber(threshold, 0xffff, 'queue-threshold')
}

function checkNumber(value: number, highest: number, name: string): number {
  if (!Number.isInteger(value) || value < 0 || value > highest)
    throw new InvalidValue(`${quote(value)} is no ${name}: an integer up to ${highest} is expected`)
  return value
}

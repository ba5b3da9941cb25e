/** Statements that need nothing from registers: counter, limit, log, notrack and their like. */
import type {
  ExprConnlimitRecord,
  ExprCounterRecord,
  ExprFlowOffloadRecord,
  ExprLastRecord,
  ExprLimitRecord,
  ExprLogRecord,
  ExprQuotaRecord,
  ExprSynproxyRecord,
} from '../../native/records.js'
import { LogFlags, LogLevels } from '../kernel/constants.js'
import type { LogFlag, LogLevel, LogStatement } from '../model/index.js'
import { readCounter } from './elements.js'
import { readRate } from './limit.js'
import { readQuota } from './quota.js'
import type { RuleState } from './rule-state.js'
import { readCtCount, readLast } from './stateful.js'
import { readSynproxyOptions } from './synproxy.js'

export function readCounterExpression(state: RuleState, record: ExprCounterRecord): boolean {
  state.say({ counter: readCounter(record) })
  return true
}

export function readNotrack(state: RuleState): boolean {
  state.say({ notrack: null })
  return true
}

export function readLimit(state: RuleState, record: ExprLimitRecord): boolean {
  const limit = readRate(record)
  if (limit) state.say({ limit })
  return limit !== undefined
}

export function readQuotaExpression(state: RuleState, record: ExprQuotaRecord): boolean {
  const quota = readQuota(record)
  if (quota) state.say({ quota })
  return quota !== undefined
}

export function readConnlimit(state: RuleState, record: ExprConnlimitRecord): boolean {
  const statement = readCtCount(record)
  if (statement) state.say(statement)
  return statement !== undefined
}

export function readLastExpression(state: RuleState, record: ExprLastRecord): boolean {
  state.say(readLast(record))
  return true
}

export function readSynproxy(state: RuleState, record: ExprSynproxyRecord): boolean {
  const options = readSynproxyOptions(record)
  if (options) state.say({ synproxy: Object.keys(options).length > 0 ? options : null })
  return options !== undefined
}

export function readFlowOffload(state: RuleState, { tableName }: ExprFlowOffloadRecord): boolean {
  if (tableName === undefined) return false
  state.say({ flow: { op: 'add', flowtable: `@${tableName}` } })
  return true
}

const levels: ReadonlyMap<number, LogLevel> = new Map(
  (Object.entries(LogLevels) as [LogLevel, number][]).map(([name, number]) => [number, name]),
)
const logFlags: readonly Exclude<LogFlag, 'all'>[] = [
  'tcp sequence',
  'tcp options',
  'ip options',
  'skuid',
  'ether',
]

export function readLog(state: RuleState, record: ExprLogRecord): boolean {
  const { prefix, group, snaplen, qthreshold, level, flags = 0 } = record
  if ((flags & ~LogFlags.all) !== 0) return false
  const levelName = level === undefined ? undefined : levels.get(level)
  if (level !== undefined && levelName === undefined) return false
  const names = flags === LogFlags.all ? [] : logFlags.filter((name) => (flags & LogFlags[name]) !== 0)
  const [firstFlag] = names
  const log: LogStatement['log'] = {
    ...(prefix !== undefined && { prefix }),
    ...(group !== undefined && { group }),
    ...(snaplen ? { snaplen } : {}),
    ...(qthreshold ? { 'queue-threshold': qthreshold } : {}),
    ...(levelName !== undefined && levelName !== 'warn' && group === undefined && { level: levelName }),
    ...(flags === LogFlags.all && { flags: 'all' as const }),
    ...(firstFlag !== undefined && { flags: names.length === 1 ? firstFlag : names }),
  }
  state.say({ log: Object.keys(log).length > 0 ? log : null })
  return true
}

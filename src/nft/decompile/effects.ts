/** Statements that need nothing from registers: counter, limit, log, reject, objref, notrack. */
import type {
  ExprCounterRecord,
  ExprLimitRecord,
  ExprLogRecord,
  ExprObjrefRecord,
} from '../../native/records.js'
import { LIMIT_INVERTED, LimitTypes, LogFlags, LogLevels, ObjectTypes } from '../kernel/constants.js'
import type { LimitPeriod, LimitStatement, LogFlag, LogLevel, LogStatement } from '../model/index.js'
import { readCounter } from './elements.js'
import type { RuleState } from './rule-state.js'

export function readCounterExpression(state: RuleState, record: ExprCounterRecord): boolean {
  state.say({ counter: readCounter(record) })
  return true
}

/** A named counter; other objects are not in the model. */
export function readObjref(state: RuleState, { immType, immName, setName }: ExprObjrefRecord): boolean {
  if (immType !== ObjectTypes.counter || immName === undefined || setName !== undefined) return false
  state.say({ counter: immName })
  return true
}

export function readNotrack(state: RuleState): boolean {
  state.say({ notrack: null })
  return true
}

const periods: ReadonlyMap<bigint, LimitPeriod> = new Map([
  [1n, 'second'],
  [60n, 'minute'],
  [3600n, 'hour'],
  [86400n, 'day'],
  [604800n, 'week'],
])

export function readLimit(state: RuleState, record: ExprLimitRecord): boolean {
  const { rate = 0n, unit = 0n, burst = 0, type, flags = 0 } = record
  const per = periods.get(unit)
  if (!per || (flags & ~LIMIT_INVERTED) !== 0 || rate > BigInt(Number.MAX_SAFE_INTEGER)) return false
  const inv = (flags & LIMIT_INVERTED) !== 0 ? { inv: true } : {}
  let limit: LimitStatement['limit']
  if (type === LimitTypes.packets) limit = { rate: Number(rate), burst, per, ...inv }
  else if (type === LimitTypes.bytes) {
    const scaledRate = scale(Number(rate))
    const scaledBurst = scale(burst)
    limit = {
      rate: scaledRate.value,
      rate_unit: scaledRate.unit,
      burst: scaledBurst.value,
      burst_unit: scaledBurst.unit,
      per,
      ...inv,
    }
  } else return false
  state.say({ limit })
  return true
}

/** A number of bytes in the largest unit that keeps it whole. */
function scale(bytes: number): { value: number; unit: 'bytes' | 'kbytes' | 'mbytes' } {
  if (bytes === 0 || bytes % 1024 !== 0) return { value: bytes, unit: 'bytes' }
  const kbytes = bytes / 1024
  return kbytes % 1024 === 0 ? { value: kbytes / 1024, unit: 'mbytes' } : { value: kbytes, unit: 'kbytes' }
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

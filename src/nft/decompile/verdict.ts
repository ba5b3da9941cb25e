import type { NftVerdictRecord } from '../../native/records.js'
import { Verdicts } from '../kernel/constants.js'
import type { Expression, Verdict } from '../model/index.js'

/** A verdict of the kernel; undefined for one that the model does not have. */
export function readVerdict({ code, chain }: NftVerdictRecord): Verdict | undefined {
  switch (code) {
    case Verdicts.accept:
      return { accept: null }
    case Verdicts.drop:
      return { drop: null }
    case Verdicts.continue:
      return { continue: null }
    case Verdicts.return:
      return { return: null }
    case Verdicts.jump:
      return chain === undefined ? undefined : { jump: { target: chain } }
    case Verdicts.goto:
      return chain === undefined ? undefined : { goto: { target: chain } }
    default:
      return undefined
  }
}

const verdicts: ReadonlySet<string> = new Set(['accept', 'drop', 'continue', 'return', 'jump', 'goto'])

/** Tells a verdict from a value, in what maps give. */
export function isVerdict(data: Expression | Verdict): data is Verdict {
  const [key] = typeof data === 'object' && !Array.isArray(data) ? Object.keys(data) : []
  return key !== undefined && verdicts.has(key)
}

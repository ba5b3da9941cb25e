import { InvalidValue, quote } from '../datatype/index.js'
import { Verdicts } from '../kernel/constants.js'
import type { Verdict } from '../model/index.js'
import { immediateVerdict } from './emit.js'
import type { KernelData } from './kernel-expression.js'
import { checkName } from './names.js'
import type { RuleContext } from './rule-context.js'

const accept: KernelData = { verdict: { code: Verdicts.accept } }
const drop: KernelData = { verdict: { code: Verdicts.drop } }

/** A verdict as the kernel's data; `undefined` when the value is none. */
export function verdictData(value: unknown): KernelData | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if ('accept' in value) return accept
  if ('drop' in value) return drop
  if ('continue' in value) return { verdict: { code: Verdicts.continue } }
  if ('return' in value) return { verdict: { code: Verdicts.return } }
  if ('jump' in value) return { verdict: { code: Verdicts.jump, chain: target(value.jump) } }
  if ('goto' in value) return { verdict: { code: Verdicts.goto, chain: target(value.goto) } }
  return undefined
}

function target(destination: unknown): string {
  const name: unknown =
    typeof destination === 'object' && destination !== null ? Reflect.get(destination, 'target') : undefined
  if (typeof name !== 'string')
    throw new InvalidValue(`{ target: chain } is expected, not ${quote(destination)}`)
  return checkName(name, 'chain')
}

/** Emits a verdict; `false` when the value is none. */
export function compileVerdict(context: RuleContext, verdict: Verdict): boolean {
  const data = verdictData(verdict)
  if (data !== undefined) immediateVerdict(context.out, toBoundChain(context, data))
  return data !== undefined
}

/** A chain that belongs to the rule is known by its number. */
function toBoundChain({ batch, family, table }: RuleContext, data: KernelData): KernelData {
  if (!('verdict' in data) || data.verdict.chain === undefined) return data
  const chainId = batch.scope.boundChain(family, table, data.verdict.chain)
  return chainId === undefined ? data : { verdict: { code: data.verdict.code, chainId } }
}

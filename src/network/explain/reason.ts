/** What decided, and the stages of the way, as data that is JSON. */
import type { Explanation, JourneyStep, Step } from '../../explain/index.js'
import { USER_CHAINS } from '../rules/names.js'
import type { ExplainReason, ExplainStep } from './explanation.js'

const USERS: ReadonlySet<string> = new Set(Object.values(USER_CHAINS))

/** @param world tells which tables are ours */
export function reasonOf({ decisive }: Explanation, world: { isOwn(step: Step): boolean }): ExplainReason {
  const { kind, namespace } = decisive
  switch (decisive.kind) {
    case 'route':
      return { kind, namespace, name: decisive.destination, value: decisive.reason }
    case 'sysctl':
      return { kind, namespace, name: decisive.name, value: decisive.value }
    case 'address':
      return {
        kind,
        namespace,
        name: decisive.address,
        ...(decisive.behind && { value: `behind ${decisive.behind.join(', ')}` }),
      }
    case 'link':
      return { kind, namespace, name: decisive.link, value: decisive.problem }
    case 'translation':
      return { kind, namespace, name: decisive.asked, value: decisive.answers }
    case 'unknown':
      return { kind, namespace, hook: decisive.hook, value: decisive.statements.join('; ') }
    case 'delivered':
      return { kind, namespace }
  }
  const { hook, step } = decisive
  if (isNoDecision(decisive)) return { kind: 'delivered', namespace }
  return {
    kind: world.isOwn(step) && USERS.has(step.chain) ? 'user-rule' : kind,
    namespace,
    hook,
    table: `${step.family} ${step.table}`,
    chain: step.chain,
    ...(step.kind === 'rule'
      ? {
          rule: step.text,
          ...(step.handle !== undefined && { handle: step.handle }),
          ...(step.element && {
            ...(step.element.set !== undefined && { set: step.element.set }),
            element: step.element.text,
          }),
        }
      : { value: step.effect }),
  }
}

/** That a chain which translates or looks at senders ends is no decision about the packet. */
export function isNoDecision({
  hook,
  step,
}: {
  readonly hook: string
  readonly step: Pick<Step, 'kind' | 'effect'>
}): boolean {
  return step.kind === 'policy' && step.effect === 'accept' && hook !== 'forward' && hook !== 'input'
}

export function stepOf({ namespace, direction, text, rules }: JourneyStep): ExplainStep {
  return {
    namespace,
    direction,
    text,
    ...(rules && { rules: rules.map(ruleText) }),
  }
}

function ruleText(step: Step): string {
  const where = `${step.family} ${step.table} ${step.chain}`
  return step.kind === 'policy'
    ? `${where}: policy ${step.effect}`
    : `${where}: ${step.text} → ${step.effect}`
}

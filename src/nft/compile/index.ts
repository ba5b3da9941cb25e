export { type ChainRenaming, priorityNumber } from './chain.js'
export { elementRecords } from './elements-of-set.js'
export { compareBytes, successor } from './interval.js'
export type {
  BitwiseData,
  KernelData,
  KernelExpression,
  LimitData,
  LogData,
  LookupData,
  NatData,
  PayloadData,
  PortData,
  RuleExpression,
} from './kernel-expression.js'
export type { MessageSink } from './message.js'
export { isStateful, kindOf } from './object.js'
export {
  type CompileOptions,
  compileOperation,
  type DeletableObject,
  type FlushableObject,
  type Operation,
} from './operation.js'
export { compileExpressions } from './rule.js'
export type { BatchContext, Listed } from './rule-context.js'
export { chainKey, RuleOrder } from './rule-order.js'
export { declarationOf, type SetDeclaration, SetScope } from './scope.js'
export { compileInSteps, isLong } from './steps.js'
export { located, Trail } from './trail.js'

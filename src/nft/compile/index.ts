export { type ChainReference, type ChainRenaming, priorityNumber } from './chain.js'
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
export type { MessageSink, PreparedMessages } from './message.js'
export { isStateful, kindOf, type ObjectName, type StatefulReference } from './object.js'
export {
  type CompileOptions,
  compileOperation,
  type DeletableObject,
  type FlushableObject,
  type Operation,
} from './operation.js'
export { sendSettled } from './ranged-elements.js'
export { compileExpressions, type RuleReference } from './rule.js'
export type { BatchContext, Listed } from './rule-context.js'
export { chainKey, RuleOrder } from './rule-order.js'
export { declarationOf, type SetDeclaration, SetScope } from './scope.js'
export type { SetReferenceObject } from './set.js'
export { compileInSteps, isLong } from './steps.js'
export type { TableReference } from './table.js'
export { located, Trail } from './trail.js'

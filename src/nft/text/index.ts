export type { TextOptions } from './context.js'
export { type TextValue, toText } from './text.js'

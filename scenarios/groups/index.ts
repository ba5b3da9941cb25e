/** All groups of scenarios. */
import type { Group } from '../scenario.js'
import { communication } from './communication.js'

export const groups: readonly Group[] = [communication]

import { compileLayouts, type Layouts } from './layout.js'
import { addon } from './load.js'

/** The tables of the addon that is loaded, prepared once for each thread. */
export const layouts: Layouts = compileLayouts(addon.schemas, addon.messages)

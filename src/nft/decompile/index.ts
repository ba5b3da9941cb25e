/** From the kernel's records to the model: the opposite of `../compile/`. */
export { keyEncoding } from './encodings.js'
export { readFlowtable } from './flowtable.js'
export { readObject } from './object.js'
export { readChain, readFamily, readSet, readTable } from './objects.js'
export { decompileExpressions, decompileRule } from './rule.js'
export { isAnonymous, type KernelSet, readElementsOf, SetCatalog } from './set-catalog.js'
export { readUserdata, withoutUserdata } from './userdata.js'
export { readVerdict } from './verdict.js'

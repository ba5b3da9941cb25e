export { errnoOf, readRegular } from './files.js'
export { awaitStore, openStore, type Store } from './store.js'

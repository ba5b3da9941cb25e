export { awaitStore, openStore, type Store } from './store.js'

export { openStore, type Store } from './store.js'

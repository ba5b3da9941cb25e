/**
 * Container bridge networking without starting a process. `nfbridge` has the networks and namespaces; `nfbridge/nft` the
 * rules and `nfbridge/rtnl` the interfaces, addresses and routes that they are made of.
 */
export { type ErrorCode, type ErrorDetails, NfbridgeError } from './errors.js'
export { Namespace, type NamespaceOptions, type NamespaceSource } from './netns/index.js'
export * from './network/index.js'

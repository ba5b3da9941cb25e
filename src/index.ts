/**
 * Container bridge networking without starting a process. `nfbridge` has the networks and namespaces; `nfbridge/nft` the
 * rules and `nfbridge/rtnl` the interfaces, addresses and routes that they are made of; `nfbridge/conntrack` has tracked
 * connections, `nfbridge/address` the values that all of them take and return.
 */
export { type ErrorCode, type ErrorDetails, NfbridgeError } from './errors.js'
export {
  Namespace,
  type NamespaceDescriptor,
  type NamespaceOptions,
  type NamespaceSource,
} from './netns/index.js'
export * from './network/index.js'

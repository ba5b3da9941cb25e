/** Network namespaces: opening, creating, their sysctls, moving a worker thread into one. */
export { Namespace, type NamespaceOptions, type NetlinkProtocol } from './namespace.js'
export { type NamespaceDescriptor, type NamespaceSource, openSource } from './source.js'

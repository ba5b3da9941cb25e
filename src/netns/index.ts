/** Network namespaces: opening, creating, their sysctls, moving a worker thread into one; announcements and ports there. */
export { type Announcement, announce } from './announcement.js'
export { identityOf, type NamespaceIdentity } from './identity.js'
export { withNamespaceLock } from './lock.js'
export { Namespace, type NamespaceOptions, type NetlinkProtocol } from './namespace.js'
export { processOf } from './process.js'
export { PortReservations, portOwner, type ReservedPort } from './reservations.js'
export { type NamespaceDescriptor, type NamespaceSource, openSource } from './source.js'

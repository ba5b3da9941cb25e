// Provisional, until the addon's tables exist: `npm run generate` replaces this file.

export interface OpaqueEntry {
  readonly type: number
  readonly bytes: Uint8Array
}

export interface OpaqueData {
  readonly opaque: Uint8Array
}

export interface MessageRecords {
  readonly [name: string]: { readonly [property: string]: unknown }
}

export type MessageName = string

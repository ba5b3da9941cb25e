import { InvalidValue, quote } from '../datatype/index.js'
import { TableFlags, UserdataTypes } from '../kernel/constants.js'
import type { Table } from '../model/index.js'
import type { Draft, Removal, TableRecord } from './message.js'
import { checkName, familyNumber } from './names.js'
import type { BatchContext } from './rule-context.js'
import { unknownAttributes, unknownFlags, withUnknownUserdata } from './unknown.js'
import { commentData } from './userdata.js'

const flagBits: ReadonlyMap<string, number> = new Map(Object.entries(TableFlags))

/** Adds a table; the trail stands at it. */
export function addTable(batch: BatchContext, table: Table, flags: number): void {
  const record: Draft<TableRecord> = {
    family: familyNumber(table.family),
    name: checkName(table.name, 'table'),
    flags: unknownFlags(table.unknown),
    ...unknownAttributes(table.unknown, 'attributes', batch.trail),
  }
  batch.trail.enter('flags')
  for (const flag of table.flags ?? []) {
    const bit = flagBits.get(flag)
    if (bit === undefined) throw new InvalidValue(`${quote(flag)} is no flag of a table`)
    record.flags = (record.flags ?? 0) | bit
  }
  batch.trail.leave()
  batch.trail.enter('comment')
  const comment = commentData(UserdataTypes.tableComment, table.comment)
  batch.trail.leave()
  const userdata = withUnknownUserdata(comment, table.unknown, batch.trail)
  if (userdata !== undefined) record.userdata = userdata
  batch.sink.add('nftNewTable', flags, record)
}

/** What names a table. */
export type TableReference = Pick<Table, 'family' | 'name'>

/** Deletes a table with all that is in it. */
export function deleteTable(batch: BatchContext, table: TableReference, removal: Removal = 'Del'): void {
  batch.sink.add(`nft${removal}Table`, 0, {
    family: familyNumber(table.family),
    name: checkName(table.name, 'table'),
  })
}

/** Deletes the rules of all chains of a table; chains and sets stay. */
export function flushTable(batch: BatchContext, table: TableReference): void {
  batch.sink.add('nftDelRule', 0, {
    family: familyNumber(table.family),
    table: checkName(table.name, 'table'),
  })
}

/** Deletes every table, or those of one family. */
export function flushRuleset(batch: BatchContext, family: Table['family'] | undefined): void {
  // NFPROTO_UNSPEC: of all families.
  batch.sink.add('nftDelTable', 0, { family: family === undefined ? 0 : familyNumber(family) })
}

import { NfbridgeError } from '../errors.js'
import { checkObject } from '../input.js'
import type { CommitOptions, CommitResult } from './commit.js'
import type { ListFilter } from './list.js'
import type { Ruleset } from './model/index.js'
import type { Nft } from './nft.js'
import type { Transaction } from './transaction.js'

/** How {@link retryOnChange} goes about it. */
export interface RetryOptions extends Pick<CommitOptions, 'handles'> {
  /** How often it is tried, in all. Default 8. */
  readonly attempts?: number
  /** Which part of the ruleset the plan looks at; default: all. */
  readonly filter?: ListFilter
}

const defaultAttempts = 8

/**
 * Lists the ruleset, lets `plan` put operations into a transaction for it, and commits that only if nobody has changed
 * anything meanwhile; else lists and plans anew, a bounded number of times.
 * @param plan is called once for each attempt, with a listing and a transaction that is empty
 * @returns what the commit told
 * @throws NfbridgeError NFB_STALE_GENERATION when somebody else was quicker each time (the earlier errors are in
 * `related`); NFB_INVALID_ARGUMENT for a number of attempts that is none; what listing, `plan` and commit throw
 */
export async function retryOnChange(
  nft: Nft,
  plan: (ruleset: Ruleset, transaction: Transaction) => void | Promise<void>,
  options: RetryOptions = {},
): Promise<CommitResult> {
  const operation = 'nft.retryOnChange'
  checkObject(options, ['attempts', 'filter', 'handles'], operation, '')
  const { attempts = defaultAttempts, filter, handles = false } = options
  if (!Number.isInteger(attempts) || attempts < 1)
    throw new NfbridgeError({
      code: 'NFB_INVALID_ARGUMENT',
      operation: 'nft.retryOnChange',
      message: `${String(attempts)} is no number of attempts: an integer from 1 is expected`,
      path: 'attempts',
    })
  const stale: NfbridgeError[] = []
  while (stale.length < attempts) {
    const ruleset = await nft.list(filter)
    const transaction = nft.transaction()
    await plan(ruleset, transaction)
    try {
      return await transaction.commit({ handles, expectGeneration: ruleset.generation })
    } catch (error) {
      if (!(error instanceof NfbridgeError) || error.code !== 'NFB_STALE_GENERATION') throw error
      stale.push(error)
    }
  }
  throw new NfbridgeError({
    code: 'NFB_STALE_GENERATION',
    operation: 'nft.retryOnChange',
    message: `the ruleset changed during each of ${attempts} attempts: try again`,
    errno: 'ERESTART',
    related: stale,
  })
}

import { joinPath, NfbridgeError } from '../../errors.js'
import { checkIsObject, checkString } from '../../input.js'

/** Data of a runtime's own: texts by names. */
export type Labels = Readonly<Record<string, string>>

/** What a record has of labels: absent where there are none. */
export interface Labelled {
  readonly labels?: Labels
}

/** A copy of what was given. @throws NfbridgeError NFB_INVALID_ARGUMENT */
export function parseLabels(given: Labels | undefined, operation: string, path = 'labels'): Labelled {
  if (given === undefined) return {}
  const labels = Object.entries(checkIsObject(given, operation, path)).map(([name, value]) => {
    if (name !== '') return [name, checkString(value, operation, joinPath(path, name))] as const
    const message = 'a label needs a name'
    throw new NfbridgeError({ code: 'NFB_INVALID_ARGUMENT', operation, message, path })
  })
  return labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }
}

/** The labels of one for another; a record without has no such property. */
export function labelsOf({ labels }: { readonly labels?: Labels | undefined }): Labelled {
  return labels ? { labels } : {}
}

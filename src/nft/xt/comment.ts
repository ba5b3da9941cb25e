/** `comment`: linux/netfilter/xt_comment.h. */

import { encodeText, InvalidValue } from '../datatype/index.js'
import type { XtComment } from '../model/index.js'
import { option, type XtExtension } from './codec.js'
import { structure, text } from './layout.js'

const LENGTH = 256
const info = structure(LENGTH, { comment: text(0, LENGTH) })

export const comment: XtExtension<XtComment> = {
  codecs: [
    {
      rev: 0,
      size: info.size,
      read: (bytes) => info.read(bytes),
      write: (options) => {
        if (encodeText(options.comment).length >= LENGTH)
          throw new InvalidValue(`a comment has at most ${LENGTH - 1} bytes`)
        return info.write(options)
      },
    },
  ],
  text: (options) => option('comment', JSON.stringify(options.comment)),
  meaning: () => [],
}

import { describe, expect, it } from 'vitest'
import { hasOwnLines, withOwnLines } from '../../../src/network/plan/hosts-block.js'

const OWN = '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n172.17.0.2\tdb web\n'
const FOREIGN = '# by hand\n192.0.2.7\tdb.example.com db # --add-host\n\n'

/** What is left of a file without our block. */
function others(text: string): string {
  return text.replace(/^# Begin [\s\S]*^# End .*\n/m, '')
}

describe('our lines in a hosts file', () => {
  it('are alone in a file that was not there', () => {
    const text = withOwnLines(undefined, OWN)
    expect(text.split('\n').slice(1, -2).join('\n')).toBe(OWN.trimEnd())
    expect(others(text)).toBe('')
    expect([hasOwnLines(text), hasOwnLines(FOREIGN)]).toEqual([true, false])
  })

  it.each([
    ['a comment and an empty line', FOREIGN],
    ['no newline at the end', '192.0.2.7 db'],
    ['a name that is ours as well', '172.17.0.9\tdb\n'],
    ['bytes that are no UTF-8', '192.0.2.7 db # \xff\xfe\n'],
  ])('leave those of others as they are: %s', (_, foreign) => {
    const text = withOwnLines(foreign, OWN)
    expect(others(text)).toBe(foreign.endsWith('\n') ? foreign : `${foreign}\n`)
    expect(text).toContain(OWN)
  })

  it('take the place of those before them, wherever others have put theirs since', () => {
    const first = withOwnLines(FOREIGN, OWN)
    const second = withOwnLines(`${first}198.51.100.1 late\n`, OWN.replace('.2\t', '.4\t'), OWN)
    expect(second).toBe(`${first.replace('.2\t', '.4\t')}198.51.100.1 late\n`)
    expect(withOwnLines(second, OWN.replace('.2\t', '.4\t'))).toBe(second)
  })

  it.each([['# Begin of the lines of nfbridge\n'], ['# End of the lines of nfbridge\n']])(
    'are known without their comment: %j',
    (comment) => {
      const text = withOwnLines(FOREIGN, OWN).replace(comment, '')
      expect(withOwnLines(`${text}198.51.100.1 late\n`, OWN, OWN)).toBe(
        withOwnLines(`${FOREIGN}198.51.100.1 late\n`, OWN),
      )
    },
  )

  it('do not say of localhost what others say already', () => {
    const text = withOwnLines('127.0.0.1   localhost web # the image\n::1 localhost\n', OWN)
    expect(text).not.toContain('127.0.0.1\tlocalhost')
    expect(text).toContain('\n::1\tip6-localhost ip6-loopback\n')
    // As Debian and Docker write it: another form of the same address.
    const group = 'fe00::\tip6-localnet\n'
    expect(withOwnLines('fe00::0 ip6-localnet\n', group)).not.toContain('\t')
    expect(withOwnLines('fe00::1 ip6-localnet\n', group)).toContain(group)
  })
})

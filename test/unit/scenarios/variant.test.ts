import { describe, expect, it } from 'vitest'
import { allVariants, variantText } from '../../../scenarios/variant.js'

describe('variants of the scenarios', () => {
  it('are told by the options that choose them', () => {
    expect(variantText({})).toBe('')
    expect(variantText({ sysctl: '1', userRule: false })).toBe('--sysctl 1')
    expect(variantText({ sysctl: '0', userRule: true, changing: true })).toBe(
      '--sysctl 0 --user-rule --changing',
    )
  })

  it('are all of the settings, each with a rule of the users and without', () => {
    expect(allVariants.map(variantText)).toEqual([
      '--sysctl 0',
      '--sysctl 1',
      '--changing',
      '--sysctl 0 --user-rule',
      '--sysctl 1 --user-rule',
      '--user-rule --changing',
    ])
  })
})

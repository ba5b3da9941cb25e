import { describe, expect, it } from 'vitest'
import { NfbridgeError } from '../../../src/errors.js'
import {
  applySteps,
  ignoreMissing,
  type Leftover,
  type Step,
  takeBack,
  undoSteps,
} from '../../../src/network/apply/steps.js'
import { Turns } from '../../../src/network/apply/turns.js'

function failure(code: 'NFB_BUSY' | 'NFB_MISSING', related: NfbridgeError[] = []): NfbridgeError {
  return new NfbridgeError({
    code,
    operation: 'rtnl.apply',
    message: 'no',
    errno: 'EBUSY',
    path: 'a',
    related,
  })
}

/** Steps that write down what they do; those named fail. */
function recorded(names: string[], fails: string[] = []): { log: string[]; steps: Step[] } {
  const log: string[] = []
  const act = (text: string) => async () => {
    if (fails.includes(text)) throw failure('NFB_BUSY')
    log.push(text)
  }
  return {
    log,
    steps: names.map((name) => ({ leaves: name, apply: act(`+${name}`), undo: act(`-${name}`) })),
  }
}

describe('steps', () => {
  it('run in order, and backward when they are undone', async () => {
    const { log, steps } = recorded(['a', 'b'])
    await applySteps(steps, 'x')
    await undoSteps(steps, 'x')
    expect(log).toEqual(['+a', '+b', '-b', '-a'])
  })

  it('that write what is remembered keep the others, where they are undone first and fail', async () => {
    const { log, steps } = recorded(['a', 'b', 'file'], ['-file'])
    const memory = steps.map((step, index) => (index === 2 ? { ...step, isMemory: true as const } : step))
    await expect(undoSteps(memory, 'x')).rejects.toMatchObject({ code: 'NFB_BUSY', remaining: [] })
    expect(log).toEqual([])
  })

  it('are undone in reverse order when one fails; the error is the failure, in the words of the call', async () => {
    const { log, steps } = recorded(['a', 'b', 'c'], ['+c'])
    await expect(applySteps(steps, 'Network.attach')).rejects.toMatchObject({
      code: 'NFB_BUSY',
      operation: 'Network.attach',
      errno: 'EBUSY',
      path: 'a',
      remaining: [],
    })
    expect(log).toEqual(['+a', '+b', '-b', '-a'])
  })

  it('list what is left when undoing fails, and undo the rest all the same', async () => {
    const { log, steps } = recorded(['a', 'b', 'c'], ['+c', '-b'])
    await expect(applySteps(steps, 'x')).rejects.toMatchObject({ remaining: ['b'] })
    expect(log).toEqual(['+a', '+b', '-a'])
  })

  it('hand over what could not be undone, and what a step could not take back of its first half', async () => {
    const { log, steps } = recorded(['a', 'b'], ['-b'])
    const halfDone: Step = {
      leaves: 'half of c',
      apply: () => takeBack(failure('NFB_MISSING'), 'half of c', () => Promise.reject(failure('NFB_BUSY'))),
      undo: async () => undefined,
    }
    const left: string[] = []
    const leave = (leftovers: readonly Leftover[]): void => {
      left.push(...leftovers.map(({ leaves }) => leaves))
    }
    await expect(applySteps([...steps, halfDone], 'x', leave)).rejects.toMatchObject({
      // The cause, and not why it could not be taken back.
      code: 'NFB_MISSING',
      remaining: ['half of c', 'b'],
    })
    expect(left).toEqual(['half of c', 'b'])
    expect(log).toEqual(['+a', '+b', '-a'])
  })

  it('take back their first half and throw the failure', async () => {
    const log: string[] = []
    const taken = takeBack(failure('NFB_BUSY'), 'half', async () => {
      log.push('taken back')
    })
    await expect(taken).rejects.toMatchObject({ code: 'NFB_BUSY', remaining: [] })
    expect(log).toEqual(['taken back'])
  })

  it('are all undone even when one can not be', async () => {
    const { log, steps } = recorded(['a', 'b', 'c'], ['-c'])
    await expect(undoSteps(steps, 'x')).rejects.toMatchObject({ code: 'NFB_BUSY', remaining: ['c'] })
    expect(log).toEqual(['-b', '-a'])
  })

  it('take what is missing for taken away, but nothing else', async () => {
    await ignoreMissing(Promise.reject(failure('NFB_MISSING', [failure('NFB_MISSING')])))
    await expect(
      ignoreMissing(Promise.reject(failure('NFB_MISSING', [failure('NFB_BUSY')]))),
    ).rejects.toThrow()
    await expect(ignoreMissing(Promise.reject(new TypeError('other')))).rejects.toThrow(TypeError)
  })
})

describe('turns', () => {
  it('run one after the other, also after one that failed', async () => {
    const turns = new Turns()
    const log: number[] = []
    const work = (number: number, fails: boolean) => async () => {
      log.push(number)
      await new Promise((resolve) => setTimeout(resolve, 5))
      log.push(-number)
      if (fails) throw new Error('failed')
    }
    const first = turns.take(work(1, true))
    const second = turns.take(work(2, false))
    await expect(first).rejects.toThrow('failed')
    await second
    expect(log).toEqual([1, -1, 2, -2])
  })
})

import { readdirSync, readFileSync } from 'node:fs'

/**
 * Processes that this one has started so far: those that run now, and whether any was waited for. Read off the kernel:
 * a child that was waited for leaves its page faults behind (`cminflt` of proc(5), /proc/pid/stat).
 */
export function processesStarted(): { readonly running: number; readonly waitedFor: boolean } {
  const running = readdirSync('/proc/self/task')
    .map((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim())
    .filter((children) => children !== '')
    .flatMap((children) => children.split(' ')).length
  const stat = readFileSync('/proc/self/stat', 'utf8')
  // The name of the program, in parentheses, may hold spaces: the fields are counted from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { running, waitedFor: Number(fields[8]) > 0 }
}

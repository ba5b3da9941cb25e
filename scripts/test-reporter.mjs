// A reporter for vitest that writes the results of a run to the file NFB_TEST_REPORT: unlike vitest's own JSON it keeps the
// reasons of skipped tests and errors outside of tests. Written after every file, so that a run that is ended by its
// limit still tells what it had and what hung.
import { writeFileSync } from 'node:fs'

const target = process.env.NFB_TEST_REPORT

/** What went wrong, for a list. */
const firstLine = (error) => String(error?.message ?? error).split('\n')[0]

export default class TestReporter {
  #modules = new Map()
  #running = new Set()
  #errors = []

  onTestModuleStart(module) {
    this.#running.add(module.relativeModuleId)
    this.#write()
  }

  onTestModuleEnd(module) {
    this.#enter(module)
    this.#write()
  }

  onTestRunEnd(modules, errors) {
    for (const module of modules) this.#enter(module)
    this.#errors = errors.map(firstLine)
    this.#write()
  }

  #enter(module) {
    const file = module.relativeModuleId
    this.#running.delete(file)
    const result = { passed: 0, failed: [], skipped: [] }
    for (const test of module.children.allTests()) {
      const { state, note, errors } = test.result()
      const name = `${file} > ${test.fullName}`
      if (state === 'passed') result.passed++
      else if (state === 'failed') result.failed.push(`${name}: ${firstLine(errors[0])}`)
      else
        result.skipped.push({
          name,
          reason: note ?? (test.options.mode === 'todo' ? 'to be written' : 'no reason given'),
        })
    }
    // A file that does not load, or a hook that throws, fails without a failed test.
    for (const suite of [module, ...module.children.allSuites()])
      for (const error of suite.errors())
        result.failed.push(`${file} > ${suite.fullName ?? ''} ${firstLine(error)}`)
    this.#modules.set(file, result)
  }

  #write() {
    if (!target) return
    const results = [...this.#modules.values()]
    writeFileSync(
      target,
      JSON.stringify({
        passed: results.reduce((sum, { passed }) => sum + passed, 0),
        failed: [...results.flatMap(({ failed }) => failed), ...this.#errors],
        skipped: results.flatMap(({ skipped }) => skipped),
        running: [...this.#running],
      }),
    )
  }
}

export function searchPath(): string
export function testPath(folder: string): string
export function ensurePrerequisites(uses: readonly ('build' | 'test')[]): boolean

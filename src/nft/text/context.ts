/** How a text is to be made. */
export interface TextOptions {
  /** Whether handles are shown, as by `nft -a`; default false. */
  readonly handles?: boolean
  /** The family of the table that a lone statement or expression belongs to; default `inet`. It decides on what is short. */
  readonly family?: string
}

/** The options with their defaults, for one object's family. */
export interface Context {
  readonly handles: boolean
  readonly family: string
}

export function contextOf(options: TextOptions): Context {
  return { handles: options.handles ?? false, family: options.family ?? 'inet' }
}

/** The context inside a table or an object of one. */
export function inFamily(context: Context, family: unknown): Context {
  return typeof family === 'string' ? { ...context, family } : context
}

/** `# handle 5`, where handles are asked for and there is one. */
export function handleText({ handles }: Context, handle: unknown): string | undefined {
  return handles && typeof handle === 'number' ? `# handle ${handle}` : undefined
}

/** Verdicts, as statements and as the data of verdict maps. */

export interface AcceptVerdict {
  readonly accept: null
}
export interface DropVerdict {
  readonly drop: null
}
export interface ContinueVerdict {
  readonly continue: null
}
export interface ReturnVerdict {
  readonly return: null
}
export interface JumpVerdict {
  readonly jump: { readonly target: string }
}
export interface GotoVerdict {
  readonly goto: { readonly target: string }
}

export type Verdict =
  | AcceptVerdict
  | DropVerdict
  | ContinueVerdict
  | ReturnVerdict
  | JumpVerdict
  | GotoVerdict

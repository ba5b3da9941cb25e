/** What programs and kernels say of an object beside what the model has: kept as it came, and written back. */

/** A value of a type that is not known. */
export interface UnknownValue {
  /** Its number; of an attribute, with the bits that say how its value is to be read. */
  readonly type: number
  /** Its bytes in hexadecimal. */
  readonly value: string
}

/** A listing has it only where there is something that the model has no property for. */
export interface UnknownParts {
  /** What a program keeps with the object (NFTA_*_USERDATA); text where it is no list of values: all of it in hexadecimal. */
  readonly userdata?: readonly UnknownValue[] | string
  /** Attributes of the object. */
  readonly attributes?: readonly UnknownValue[]
  /** Attributes of where a base chain or flowtable is hooked in. */
  readonly hook?: readonly UnknownValue[]
  /** Attributes of the description of a set. */
  readonly description?: readonly UnknownValue[]
  /** Bits of the flags of the object. */
  readonly flags?: number
}

/** What objects of the ruleset and elements have in common. */
export interface WithUnknown {
  /** Ours. */
  readonly unknown?: UnknownParts
}

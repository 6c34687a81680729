/** A JSON value: what a case observes. */
export type Value = null | boolean | number | string | readonly Value[] | {readonly [key: string]: Value};

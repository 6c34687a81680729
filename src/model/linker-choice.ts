/** What the user may ask for: `auto` is the fastest linker that is there. */
export const LINKERS = ['auto', 'bfd', 'gold', 'lld', 'mold'] as const;
export type LinkerChoice = (typeof LINKERS)[number];

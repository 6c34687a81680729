import {shellWords} from '../../model/shell-words.js';

/**
 * Flags of CPython's own compilation that our files must not have: they would turn objects into intermediate code, ask
 * for profiles, make data large with debugging information, contain paths of the machine that built Python, or decide where
 * code is placed, which the address model decides.
 */
const LEFT_OUT =
  /^-(flto|ffat-lto|fprofile|fauto-profile|g(?!nu)|O|W|fwrapv$|M|specs=|f(no-)?(pic|pie|PIC|PIE|plt)$|f\w+-prefix-map=)/;
/** A directory of headers follows, in the same word or the next one. */
const FOLDER = /^-(I|isystem|idirafter|iquote)(.*)$/;

/** The part of CFLAGS for our files: without include directories and the flags in `LEFT_OUT`. */
export function objectFlags(cflags: string): readonly string[] {
  const kept: string[] = [];
  const all = shellWords(cflags);
  for (let i = 0; i < all.length; i++) {
    const word = all[i] ?? '';
    const folder = FOLDER.exec(word);
    if (folder?.[2] === '') i++;
    if (folder === null && !LEFT_OUT.test(word)) kept.push(word);
  }
  return kept;
}

/** Flags of CPython's link that the link with images must not have: see `LEFT_OUT`. */
const NOT_FOR_LINK = /^-(flto|ffat-lto|fuse-linker-plugin|fprofile|fauto-profile|specs=|(no-|static-)?pie$)/;

/** The part of LDFLAGS and LINKFORSHARED for a link that decides itself where code is placed. */
export function linkFlags(ldflags: string): readonly string[] {
  return shellWords(ldflags).filter((word) => !NOT_FOR_LINK.test(word));
}

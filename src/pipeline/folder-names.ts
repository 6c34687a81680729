/** Characters of a name, except the dot. Bytes of other scripts belong to them. */
const LETTERS = String.raw`\w+~\x80-\uffff-`;
/** Not within a longer path, unless an option leads to it. */
const BEFORE = `(?:(?<![./${LETTERS}])|(?<=(?<![./${LETTERS}])-[A-Za-z]))`;
/** Not within a longer name. */
const AFTER = String.raw`(?!\.*[${LETTERS}])`;

/**
 * Finds the name of a directory, also where that is the beginning of a path: for `/src`, in `-I/src/x` and `"/src"`, but not in
 * `/usr/src` or `/src-2`.
 */
export function folderName(folder: string): RegExp {
  return new RegExp(BEFORE + folder.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&') + AFTER, 'g');
}

/** Whether a text contains it. Fast if it does not. */
export function mentionsFolder(text: string, folder: string): boolean {
  return text.includes(folder) && folderName(folder).test(text);
}

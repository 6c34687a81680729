import {readdirSync} from 'node:fs';
import {join} from 'node:path';

/** The test files below `test/` of a checkout, relative to it, with slashes. */
export function listTestFiles(root) {
  return readdirSync(join(root, 'test'), {recursive: true})
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name}`)
    .sort();
}

/**
 * Which test files each part runs.
 * @param {readonly import('../../test/tiers.mjs').Part[]} parts
 * @param {readonly string[]} all every test file
 */
export function assignFiles(parts, all) {
  const isIn = (file, {files}) => files.some((named) => file === named || file.startsWith(`${named}/`));
  return parts.map((part) => ({
    ...part,
    files: all.filter(
      (file) => isIn(file, part) || (part.takesUnnamed === true && !parts.some((each) => isIn(file, each))),
    ),
  }));
}

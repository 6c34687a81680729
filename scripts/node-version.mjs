import {readFileSync} from 'node:fs';

/** Says so and returns false when this Node.js is older than package.json asks for. */
export function isNodeNewEnough() {
  const {engines} = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const wanted = engines.node.replace('>=', '').split('.').map(Number);
  const found = process.versions.node.split('.').map(Number);
  const enough = found[0] > wanted[0] || (found[0] === wanted[0] && found[1] >= wanted[1]);
  if (!enough) {
    console.error(
      `flashfreeze: error[NO_TOOL]: this is Node.js ${process.versions.node}, and flashfreeze needs ${wanted.join('.')} or newer\n` +
        'hint: install a newer one, from https://nodejs.org/ or with a version manager',
    );
  }
  return enough;
}

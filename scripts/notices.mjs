import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

/**
 * The licences of the packages that a bundle contains code of.
 * @param metafile what esbuild says about the bundle @param {string} root of the paths in it
 */
export function noticesOf({outputs}, root) {
  const packages = new Map();
  for (const {inputs} of Object.values(outputs)) {
    for (const [name, {bytesInOutput}] of Object.entries(inputs)) {
      const directory = /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(name)?.[1];
      if (directory === undefined || bytesInOutput === 0) continue;
      packages.set(directory, (packages.get(directory) ?? new Set()).add(join(root, name)));
    }
  }
  return [
    'flashfreeze contains code of these packages, under the licences that follow.\n',
    ...[...packages]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([directory, files]) => noticeOf(join(root, directory), files)),
  ].join(`\n${'-'.repeat(80)}\n\n`);
}

function noticeOf(directory, files) {
  const {name, version, license} = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const own = readdirSync(directory)
    .filter((file) => /^(licen[cs]e|notice|copying)\b/i.test(file))
    .sort()
    .map((file) => readFileSync(join(directory, file), 'utf8').trim());
  const texts = own.length > 0 ? own : textsFor(license, files);
  if (texts.length === 0) throw new Error(`no licence text found for ${name} ${version} (${license})`);
  return `${name} ${version} (${license})\n\n${texts.join('\n\n')}\n`;
}

/** For a package that comes without its licence: what its files begin with, and the standard texts that these refer to. */
function textsFor(license, files) {
  const headers = [...files].sort().flatMap((file) => {
    const [header] = /^(\/\/.*\n)*/.exec(readFileSync(file, 'utf8'));
    return /copyright/i.test(header) ? [header.replaceAll(/^\/\/ ?/gm, '').trim()] : [];
  });
  const standard = license
    .split(/[^\w.-]+/)
    .map((id) => join(import.meta.dirname, 'licences', `${id}.txt`))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8').trim());
  return headers.length === 0 ? [] : [...new Set(headers), ...standard];
}

#!/usr/bin/env node
import {existsSync} from 'node:fs';

const at = (path) => new URL(`../${path}`, import.meta.url);

// A checkout has sources, and what was compiled from them may be older. The published package has no sources.
const record = at('scripts/bundle-record.mjs');
const problem = existsSync(record) ? (await import(record)).findStaleness() : undefined;
if (problem === undefined) {
  const {main} = await import(at('dist/cli/main.js'));
  process.exitCode = await main(process.argv.slice(2));
} else {
  console.error(
    `flashfreeze: error[NOT_BUILT]: ${problem}\nhint: run "npm run build" in the directory of flashfreeze`,
  );
  process.exitCode = 1;
}

// Compiles TypeScript for jest. Types are not checked here; `npm run typecheck` does that.
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {transform, version} from 'esbuild';

const OPTIONS = {
  loader: 'ts',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  tsconfigRaw: {compilerOptions: {verbatimModuleSyntax: true}},
};

/**
 * What jest's cache of compiled files depends on besides the file. Not jest's configuration: it has digests of the sources, and every
 * edit would have all files compiled again.
 */
const IDENTITY = `${version}\0${readFileSync(new URL(import.meta.url), 'utf8')}`;

export default {
  async processAsync(source, path) {
    // Node has these since 20.11; the modules that jest 29 makes do not.
    const define = {
      'import.meta.dirname': JSON.stringify(dirname(path)),
      'import.meta.filename': JSON.stringify(path),
    };
    const {code} = await transform(source, {...OPTIONS, sourcefile: path, define});
    return {code};
  },
  getCacheKey(source, path, {instrument}) {
    const hash = createHash('sha256');
    for (const part of [IDENTITY, String(instrument), path, source]) {
      hash.update(`${part.length} ${part}`);
    }
    return hash.digest('hex');
  },
};

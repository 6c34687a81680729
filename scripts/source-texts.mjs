import {readFileSync} from 'node:fs';
import {digestOf, stampOf} from './bundle-record.mjs';

/**
 * Reads source files for several runs of esbuild. Each file is read once, so that all of them see the same text even when
 * somebody saves a file meanwhile.
 */
export function createSourceTexts() {
  const texts = new Map();

  /** The text of a file, its digest, and the file's stamp from before it was read. */
  function read(path) {
    let text = texts.get(path);
    if (text === undefined) {
      const stamp = stampOf(path);
      const content = readFileSync(path);
      text = {contents: content.toString('utf8'), digest: digestOf(content), stamp};
      texts.set(path, text);
    }
    return text;
  }

  const plugin = {
    name: 'source-texts',
    setup(build) {
      build.onLoad({filter: /\.ts$/}, ({path}) => ({contents: read(path).contents, loader: 'ts'}));
    },
  };

  return {read, plugin};
}

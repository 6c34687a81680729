// Writes the type declarations that the package ships: of the API, and of the files that its declarations refer to.
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '..');
/** Where the declarations begin. */
const ENTRY = 'api/api.ts';

/**
 * Writes them below `folder`, laid out as src/ is. Each file is translated by itself, without a look at the types of
 * others, so exported functions have to state what they return.
 * @returns {{sources: readonly string[], problems: readonly string[]}} the files they were made from; what keeps them from
 * being self-contained, nothing when all is well
 */
export function writeDeclarations(folder) {
  const problems = [];
  const names = new Set([ENTRY]);
  for (const name of names) {
    const fileName = join(ROOT, 'src', name);
    const {outputText, diagnostics = []} = ts.transpileDeclaration(readFileSync(fileName, 'utf8'), {
      fileName,
      reportDiagnostics: true,
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext,
        isolatedDeclarations: true,
      },
    });
    for (const {messageText} of diagnostics) {
      problems.push(`${name}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
    }
    for (const {fileName: imported} of ts.preProcessFile(outputText).importedFiles) {
      if (imported.startsWith('.')) names.add(join(dirname(name), imported.replace(/\.js$/, '.ts')));
      else problems.push(`${name}: its declarations import ${imported}, which a consumer may not have`);
    }
    const out = join(folder, name.replace(/\.ts$/, '.d.ts'));
    mkdirSync(dirname(out), {recursive: true});
    writeFileSync(out, outputText);
  }
  return {sources: [...names].map((name) => `src/${name}`), problems};
}

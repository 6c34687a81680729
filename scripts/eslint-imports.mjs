// ESLint rules about imports: which directories may import from which, and no cycles, not even of types.
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join, relative, resolve, sep} from 'node:path';
import ts from 'typescript';

/** The files that each file imports. A file is read once, and again whenever ESLint lints it. */
const graph = new Map();

/** The path of the file that an import names, or undefined where that is a package or does not exist. */
function resolveImport(specifier, importer) {
  if (!specifier.startsWith('.')) return undefined;
  const path = resolve(dirname(importer), specifier);
  return [path.replace(/\.js$/, '.ts'), path].find((candidate) => existsSync(candidate));
}

/** What a source text imports: static and dynamic imports, re-exports and types alike. */
function importsIn(text, path) {
  const names = ts.preProcessFile(text, true, true).importedFiles.map(({fileName}) => fileName);
  return [...new Set(names)].map((name) => resolveImport(name, path)).filter((found) => found !== undefined);
}

function importsOf(path) {
  let imports = graph.get(path);
  if (imports === undefined) {
    imports = /\.m?[jt]s$/.test(path) ? importsIn(readFileSync(path, 'utf8'), path) : [];
    graph.set(path, imports);
  }
  return imports;
}

/** The shortest chain of imports from one file to another, both included, or undefined where there is none. */
function findChain(from, to) {
  const importers = new Map([[from, undefined]]);
  for (const path of importers.keys()) {
    if (path === to) {
      const chain = [];
      for (let link = to; link !== undefined; link = importers.get(link)) chain.unshift(link);
      return chain;
    }
    for (const next of importsOf(path)) if (!importers.has(next)) importers.set(next, path);
  }
  return undefined;
}

/** Calls `check` with the node and the text of each import, re-export, dynamic import and imported type. */
function onImports(check) {
  const visit = ({source}) => {
    if (typeof source?.value === 'string') check(source, source.value);
  };
  return {
    ImportDeclaration: visit,
    ExportNamedDeclaration: visit,
    ExportAllDeclaration: visit,
    ImportExpression: visit,
    TSImportType: visit,
  };
}

const mayImport = {
  meta: {
    type: 'problem',
    schema: [
      {
        type: 'object',
        properties: {root: {type: 'string'}, table: {type: 'object'}},
        required: ['root', 'table'],
        additionalProperties: false,
      },
    ],
  },
  create(context) {
    const [{root, table}] = context.options;
    const importer = directoryIn(root, context.filename);
    if (importer === undefined) return {};
    const name = relative(context.cwd, join(root, importer));
    if (!Object.hasOwn(table, importer)) {
      return {
        Program(node) {
          context.report({node, message: `${name} is missing from the table of imports`});
        },
      };
    }
    const allowed = table[importer];
    return onImports((node, specifier) => {
      if (!specifier.startsWith('.')) return;
      const imported = directoryIn(root, resolve(dirname(context.filename), specifier));
      if (imported === importer || allowed.includes(imported)) return;
      context.report({
        node,
        message: `${name} may import only from: ${allowed.join(', ') || 'nothing'}`,
      });
    });
  },
};

/** The directory of `root` that a file lies in, at whatever depth; undefined for other files. */
function directoryIn(root, path) {
  const [first, ...rest] = relative(root, path).split(sep);
  return first === '..' || rest.length === 0 ? undefined : first;
}

const noCycle = {
  meta: {type: 'problem', schema: []},
  create(context) {
    const importer = context.filename;
    graph.set(importer, importsIn(context.sourceCode.text, importer));
    return onImports((node, specifier) => {
      const imported = resolveImport(specifier, importer);
      const chain = imported === undefined ? undefined : findChain(imported, importer);
      if (chain === undefined) return;
      const names = [importer, ...chain].map((path) => relative(context.cwd, path));
      context.report({node, message: `import cycle: ${names.join(' → ')}`});
    });
  },
};

export default {rules: {'may-import': mayImport, 'no-cycle': noCycle}};

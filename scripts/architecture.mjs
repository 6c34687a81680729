// Keeps the table of directories in docs/architecture.md in step with src/ and with ESLint's table of imports. Descriptions
// are written by hand, in the page; directories and imports are not.
//
//     node scripts/architecture.mjs            fails when the page is out of date
//     node scripts/architecture.mjs --write    renews the table
import {readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {format, resolveConfig} from 'prettier';
import {mayImport} from '../eslint.config.mjs';

const PACKAGE = join(import.meta.dirname, '..');
const PAGE = join(PACKAGE, 'docs', 'architecture.md');
const BEGIN = '<!-- directories: node scripts/architecture.mjs --write -->';
const END = '<!-- end of directories -->';

const directoriesIn = (path) =>
  readdirSync(path, {withFileTypes: true})
    .filter((entry) => entry.isDirectory())
    .map(({name}) => name)
    .sort();

/** Each directory of src/ before its own subdirectories, in the order of ESLint's table; what it does not name comes last. */
function directories() {
  const source = join(PACKAGE, 'src');
  const order = Object.keys(mayImport);
  const place = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
  return directoriesIn(source)
    .sort((a, b) => place(a) - place(b))
    .flatMap((name) => [name, ...directoriesIn(join(source, name)).map((below) => `${name}/${below}`)]);
}

/** What the page says of each directory. */
function descriptionsIn(table) {
  const rows = table.split('\n').flatMap((line) => {
    const [, name, description] = /^\| `([^`]+)` *\|(.*)\|[^|]*\|$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, description.trim()]];
  });
  return new Map(rows);
}

function importsOf(name) {
  if (name.includes('/')) return '';
  const allowed = mayImport[name] ?? [];
  return allowed.length === 0 ? '–' : allowed.map((each) => `\`${each}\``).join(', ');
}

const page = readFileSync(PAGE, 'utf8');
const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
if (begin < 0 || end < begin) throw new Error(`${PAGE} lacks ${BEGIN} or ${END}`);
const known = descriptionsIn(page.slice(begin, end));
const rows = directories().map((name) => `| \`${name}\` | ${known.get(name) ?? ''} | ${importsOf(name)} |`);
const table = ['| directory | responsible for | may import from |', '| --- | --- | --- |', ...rows].join(
  '\n',
);
const text = `${page.slice(0, begin)}${BEGIN}\n\n${table}\n\n${page.slice(end)}`;
const renewed = await format(text, {...(await resolveConfig(PAGE)), filepath: PAGE});

if (process.argv.includes('--write')) writeFileSync(PAGE, renewed);
else if (renewed !== page) {
  process.stderr.write('docs/architecture.md is out of date: run node scripts/architecture.mjs --write\n');
  process.exitCode = 1;
}
for (const name of directories().filter((each) => (known.get(each) ?? '') === '')) {
  process.stderr.write(`docs/architecture.md does not say what src/${name} is responsible for\n`);
  process.exitCode = 1;
}

/** Where the modules of a program lie, and what they are called. */
import type {Chance} from '../../support/random.js';
import {type DataFile, type FrozenModule, type LinkFile, TAG} from '../program.js';
import {type Place, type Profile, type World, oneIn, pick, pickSome} from './world.js';

const ENTRIES = [
  'lib',
  'src',
  'site packages',
  'größe',
  'a/b/../c',
  'deep/er',
  'n\udce4me',
  './dot',
  'x'.repeat(120),
];
const TOPS = [
  'pkg',
  'mod',
  '_private',
  'Größe',
  '0001_',
  'my-plugin-',
  'with space ',
  'x'.repeat(150),
  '名',
  'caf\udce9',
];
const SUBS = [
  'a',
  'b',
  'c',
  'sub',
  'util',
  '__main__',
  'class',
  'None',
  '0002_next',
  'my-part',
  'é',
  'types',
  'a'.repeat(120),
];

interface Growing {
  readonly chance: Chance;
  readonly places: Place[];
  readonly aliases: string[];
  readonly others: (LinkFile | DataFile)[];
}

/** Packages, modules, namespace portions and links, on several entries of `sys.path`. */
export function layOut(chance: Chance, profile: Profile): World {
  const entries = [...pickSome(chance, 3, () => usualFirst(chance, ENTRIES))];
  const growing: Growing = {chance, places: [], aliases: [], others: []};
  const tops = pickSome(chance, profile === 'trees' ? 4 : 3, () => `${usualFirst(chance, TOPS)}${TAG}`);
  for (const top of tops) growTop(growing, entries, top, profile);
  if (growing.places.length === 0) growing.places.push(moduleAt(entries[0] ?? 'lib', `mod${TAG}`));
  const {places, aliases, others} = growing;
  return {...{chance, profile, entries, places, aliases, others}, frozen: chooseFrozen(growing, entries)};
}

const usualFirst = (chance: Chance, names: readonly string[]): string =>
  oneIn(chance, 3) ? pick(chance, names) : pick(chance, names.slice(0, 3));

function moduleAt(folder: string, name: string): Place {
  return {name, path: `${folder}/${name.split('.').at(-1) ?? name}.py`, isPackage: false};
}

function growTop(growing: Growing, entries: readonly string[], top: string, profile: Profile): void {
  const {chance, places, aliases, others} = growing;
  const entry = pick(chance, entries);
  const kind = chance.below(6);
  if (kind === 0) places.push(moduleAt(entry, top));
  else if (kind === 1) {
    // A namespace package with a portion in each entry.
    aliases.push(top);
    for (const each of entries) growInside(growing, `${each}/${top}`, top, 1);
  } else {
    growPackage(growing, entry, top, profile === 'trees' ? 3 : 2);
  }
  if (oneIn(chance, 6)) {
    const elsewhere = pick(chance, entries);
    // The same name twice: the order of the entries decides.
    if (elsewhere !== entry) places.push(moduleAt(elsewhere, top));
  }
  if (oneIn(chance, 5)) growLink(growing, entry, top);
  if (oneIn(chance, 8)) others.push({kind: 'data', path: `${entry}/${top}.txt`, text: 'beside\n'});
}

function growPackage(growing: Growing, folder: string, name: string, depth: number): void {
  const own = `${folder}/${name.split('.').at(-1) ?? name}`;
  growing.places.push({name, path: `${own}/__init__.py`, isPackage: true});
  if (oneIn(growing.chance, 2))
    growing.others.push({kind: 'data', path: `${own}/data.txt`, text: `data of ${TAG}\n`});
  growInside(growing, own, name, depth);
}

function growInside(growing: Growing, folder: string, name: string, depth: number): void {
  const {chance, places, aliases, others} = growing;
  const subs = pickSome(chance, 3, () =>
    oneIn(chance, 4) ? pick(chance, SUBS) : pick(chance, SUBS.slice(0, 5)),
  );
  for (const sub of subs) {
    const full = `${name}.${sub}`;
    if (depth > 0 && oneIn(chance, 3)) growPackage(growing, folder, full, depth - 1);
    else if (depth > 0 && oneIn(chance, 8)) {
      aliases.push(full);
      growInside(growing, `${folder}/${sub}`, full, 0);
    } else places.push(moduleAt(folder, full));
  }
  if (oneIn(chance, 12)) {
    others.push({kind: 'link', path: `${folder}/loop`, to: '.'});
    aliases.push(`${name}.loop`);
  }
}

function growLink({chance, places, aliases, others}: Growing, entry: string, top: string): void {
  const target = places.find(({name}) => name === top);
  if (target === undefined || !target.path.startsWith(`${entry}/`)) return;
  const alias = `alias${pick(chance, ['', '_', 'é'])}${TAG}`;
  const inside = target.path.slice(entry.length + 1);
  if (others.some(({path}) => path.includes(`/${alias}`))) return;
  aliases.push(alias);
  if (target.isPackage)
    others.push({kind: 'link', path: `${entry}/${alias}`, to: inside.replace(/\/__init__\.py$/, '')});
  else others.push({kind: 'link', path: `${entry}/${alias}.py`, to: inside});
}

/** Most modules, links too. A name can be frozen from one path only: mostly from that at which it is found. */
function chooseFrozen(
  {chance, places, others}: Growing,
  entries: readonly string[],
): readonly FrozenModule[] {
  const links = others.flatMap((file): readonly FrozenModule[] => {
    const name = /(alias[^/]*?)(\.py)?$/.exec(file.path)?.[1];
    if (file.kind !== 'link' || name === undefined) return [];
    return [{name, path: file.path.endsWith('.py') ? file.path : `${file.path}/__init__.py`}];
  });
  const all = [...places.map(({name, path}) => ({name, path})), ...links].filter(() => !oneIn(chance, 8));
  // Paths that are no text cannot be frozen: the actions of a build are declared in UTF-8.
  const texts = all.filter(({path}) => !/[\udc80-\udcff]/u.test(path));
  const order = ({path}: FrozenModule): number => entries.findIndex((entry) => path.startsWith(`${entry}/`));
  const last = oneIn(chance, 8) ? 1 : -1;
  const byName = new Map(
    texts.toSorted((a, b) => last * (order(a) - order(b))).map((each) => [each.name, each]),
  );
  return [...byName.values()];
}

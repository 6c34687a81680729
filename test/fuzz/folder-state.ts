/** The files of a directory: what they are, and how to get that back. */
import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';

interface FileState {
  readonly path: Buffer;
  readonly kind: 'file' | 'link' | 'folder';
  readonly content: Buffer;
  readonly changed: bigint;
  readonly modified: Date;
}

/** By path in latin-1, parents first. */
export type FolderState = ReadonlyMap<string, FileState>;

export function readFolder(folder: string): FolderState {
  const found = new Map<string, FileState>();
  const visit = (path: Buffer): void => {
    for (const name of readdirSync(path, {encoding: 'buffer'}).sort((a, b) => Buffer.compare(a, b))) {
      const inner = Buffer.concat([path, Buffer.from('/'), name]);
      const {ctimeNs: changed, mtime: modified} = {...lstatSync(inner, {bigint: true})};
      const stat = lstatSync(inner);
      const kind = stat.isSymbolicLink() ? 'link' : stat.isDirectory() ? 'folder' : 'file';
      const content =
        kind === 'link'
          ? readlinkSync(inner, {encoding: 'buffer'})
          : kind === 'file'
            ? readFileSync(inner)
            : Buffer.alloc(0);
      found.set(inner.toString('latin1'), {path: inner, kind, content, changed, modified});
      if (kind === 'folder') visit(inner);
    }
  };
  visit(Buffer.from(folder));
  return found;
}

/** What a run left behind, without bytecode: a frozen interpreter has no use for it, and writes none. */
export function leftBehind(state: FolderState): readonly string[] {
  return [...state]
    .filter(([path]) => !path.includes('__pycache__') && !path.endsWith('.pyc'))
    .map(
      ([path, {kind, content}]) =>
        `${path} ${kind} ${createHash('sha256').update(content).digest('hex').slice(0, 8)}`,
    );
}

/** Brings back what was there. What did not change is left alone: its inode stays. */
export function restoreFolder(before: FolderState, after: FolderState): void {
  for (const [path, state] of [...after].reverse())
    if (before.get(path)?.kind !== state.kind) rmSync(state.path, {recursive: true, force: true});
  for (const [path, {path: bytes, kind, content, changed, modified}] of before) {
    const now = after.get(path);
    if (now?.kind === kind && (now.changed === changed || kind === 'folder')) continue;
    if (kind === 'folder') mkdirSync(bytes, {recursive: true});
    else if (kind === 'link') {
      rmSync(bytes, {force: true});
      symlinkSync(content, bytes);
    } else {
      writeFileSync(bytes, content);
      utimesSync(bytes, modified, modified);
    }
  }
}

/** One member of an archive. */
export interface TarEntry {
  /** Path with slashes, relative. */
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array | {readonly link: string};
}

const BLOCK = 512;
/** Where fields of a header lie: POSIX.1-1988 (ustar), pax(1). */
const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  sum: [148, 8],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 8],
  prefix: [345, 155],
} as const;

/**
 * The bytes of one member in the ustar format. Written here rather than by a tar program, since each of those has its own
 * idea of what goes into fields that nobody asked for: owner root by number, one time for all, no names, no extensions.
 * Throws a RangeError for a path that the format has no room for.
 */
export function encodeEntry({path, mode, content}: TarEntry, mtime: number): Uint8Array {
  const link = 'link' in content ? content.link : undefined;
  const body = 'link' in content ? new Uint8Array() : content;
  const {prefix, name} = split(path);
  const header = Buffer.alloc(BLOCK);
  const text = (field: keyof typeof FIELDS, value: string): void => {
    const [at, size] = FIELDS[field];
    const bytes = Buffer.from(value);
    if (bytes.length > size) throw new RangeError(`${path} does not fit into an archive`);
    bytes.copy(header, at);
  };
  const octal = (field: keyof typeof FIELDS, value: number): void => {
    text(field, `${value.toString(8).padStart(FIELDS[field][1] - 1, '0')}\0`);
  };
  text('name', name);
  octal('mode', mode);
  octal('uid', 0);
  octal('gid', 0);
  octal('size', body.length);
  octal('mtime', mtime);
  text('type', link === undefined ? '0' : '2');
  text('link', link ?? '');
  text('magic', 'ustar\u000000');
  text('prefix', prefix);
  text('sum', '        ');
  const sum = header.reduce((total, byte) => total + byte, 0);
  text('sum', `${sum.toString(8).padStart(6, '0')}\0 `);
  return Buffer.concat([header, body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]);
}

/** What an archive ends with. */
export const END_OF_ARCHIVE: Uint8Array = new Uint8Array(2 * BLOCK);

/** The members of an archive that `encodeEntry` wrote, in their order. Throws a RangeError for one that is cut short. */
export function* decodeEntries(archive: Uint8Array): Generator<TarEntry> {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.length);
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0;) {
    const header = bytes.subarray(at, at + BLOCK);
    const text = (field: keyof typeof FIELDS): string => {
      const [start, size] = FIELDS[field];
      return header
        .subarray(start, start + size)
        .toString()
        .split('\0', 1)[0] as string;
    };
    const size = parseInt(text('size'), 8);
    const end = at + BLOCK + size;
    if (!(end <= bytes.length)) throw new RangeError('the archive is cut short');
    const prefix = text('prefix');
    yield {
      path: prefix === '' ? text('name') : `${prefix}/${text('name')}`,
      mode: parseInt(text('mode'), 8),
      content: text('type') === '2' ? {link: text('link')} : bytes.subarray(at + BLOCK, end),
    };
    at = Math.ceil(end / BLOCK) * BLOCK;
  }
}

/** A long path is kept in two fields, cut at a slash. */
function split(path: string): {readonly prefix: string; readonly name: string} {
  if (Buffer.byteLength(path) <= FIELDS.name[1]) return {prefix: '', name: path};
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const name = path.slice(slash + 1);
    if (Buffer.byteLength(name) <= FIELDS.name[1]) return {prefix: path.slice(0, slash), name};
  }
  throw new RangeError(`${path} does not fit into an archive`);
}

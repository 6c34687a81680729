/** A part of a binary file: what a difference is named after. */
export interface Part {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const AR_MAGIC = '!<arch>\n';
const AR_HEADER = 60;

/** The members of a static archive in the format of GNU ar, in their order; undefined for anything else. */
export function archiveMembers(file: Uint8Array): readonly Part[] | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  if (bytes.subarray(0, AR_MAGIC.length).toString('latin1') !== AR_MAGIC) return undefined;
  const members: Part[] = [];
  let longNames = '';
  for (let at = AR_MAGIC.length; at + AR_HEADER <= bytes.length;) {
    const header = bytes.subarray(at, at + AR_HEADER).toString('latin1');
    const size = parseInt(header.slice(48, 58), 10);
    const raw = header.slice(0, 16).trimEnd();
    if (!Number.isInteger(size)) return undefined;
    const content = bytes.subarray(at + AR_HEADER, at + AR_HEADER + size);
    const long = /^\/(\d+)$/.exec(raw)?.[1];
    if (raw === '//') longNames = content.toString('latin1');
    else {
      const name = long === undefined ? raw : (longNames.slice(Number(long)).split('\n', 1)[0] ?? raw);
      members.push({name: raw === '/' ? 'its symbol table' : name.replace(/\/$/, ''), bytes: content});
    }
    at += AR_HEADER + size + (size % 2);
  }
  return members;
}

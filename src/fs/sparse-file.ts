import {open} from 'node:fs/promises';

const PART = 1 << 22;
const ZEROS = Buffer.alloc(PART);

/** The bytes of a file that may be larger than `readFile` allows. Where it is zero, as in its holes, no memory is used. */
export async function readSparse(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const {size} = await file.stat();
    const bytes = Buffer.alloc(size);
    const part = Buffer.allocUnsafe(PART);
    for (let at = 0; at < size;) {
      const {bytesRead} = await file.read(part, 0, Math.min(PART, size - at), at);
      if (bytesRead === 0) throw new Error(`${path} was cut off`);
      if (part.compare(ZEROS, 0, bytesRead, 0, bytesRead) !== 0) part.copy(bytes, at, 0, bytesRead);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

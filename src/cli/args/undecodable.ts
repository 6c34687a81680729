import {readRegularSync} from '../../fs/regular-file.js';

/** What Node.js puts in the place of bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd';

/**
 * The first argument that is not UTF-8, as Node.js decoded it. Files of such a name would be read and written under another name.
 * @param commandLine the bytes of the command line of this process, each argument ended by a nul
 */
export function undecodableArgument(
  argv: readonly string[],
  commandLine: () => Buffer | undefined = ownCommandLine,
): string | undefined {
  if (!argv.some((word) => word.includes(REPLACEMENT))) return undefined;
  // Somebody may have typed that character.
  const words = splitAtNul(commandLine());
  const bad = words.filter((bytes) => !Buffer.from(bytes.toString('utf8')).equals(bytes)).map(String);
  return argv.find((word) => bad.includes(word));
}

function splitAtNul(bytes: Buffer | undefined): readonly Buffer[] {
  const words: Buffer[] = [];
  for (let rest = bytes; rest !== undefined && rest.length > 0;) {
    const end = rest.indexOf(0);
    words.push(end < 0 ? rest : rest.subarray(0, end));
    rest = end < 0 ? undefined : rest.subarray(end + 1);
  }
  return words;
}

function ownCommandLine(): Buffer | undefined {
  try {
    return readRegularSync('/proc/self/cmdline');
  } catch {
    return undefined;
  }
}

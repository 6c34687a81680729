/** Where GNU make keeps the tokens of its jobserver. */
export type JobserverAddress =
  | {readonly kind: 'fifo'; readonly path: string}
  /** Descriptors that are open only for recipe lines with `+` (negative: for none). */
  | {readonly kind: 'pipe'; readonly read: number; readonly write: number};

/** The relevant content of the parent make's MAKEFLAGS. */
export interface MakeFlags {
  /** `make -n`: only recipe lines with `+` run, and are expected to do nothing, as makes below do. */
  readonly dryRun: boolean;
  /** Undefined without `-j`. */
  readonly jobserver: JobserverAddress | undefined;
}

/**
 * Reads MAKEFLAGS (GNU make manual, "Communicating Options to a Sub-make" and "POSIX Jobserver Interaction"): the first word
 * has the one-letter flags, unless it begins with a dash or is missing, when there is a blank in its place; variables come after
 * `--`; of several addresses the last one counts. Makes up to 4.1 called the option `--jobserver-fds`.
 */
export function readMakeFlags(text: string): MakeFlags {
  const [letters = '', ...more] = text.split(' ');
  const isLetters = !letters.startsWith('-') && !letters.includes('=');
  const words = [letters, ...more];
  const end = words.indexOf('--');
  let jobserver: JobserverAddress | undefined;
  for (const word of end < 0 ? words : words.slice(0, end)) {
    const address = /^--jobserver-(?:auth|fds)=(.*)$/.exec(word)?.[1];
    if (address !== undefined) jobserver = readAddress(address) ?? jobserver;
  }
  return {dryRun: isLetters && letters.includes('n'), jobserver};
}

function readAddress(text: string): JobserverAddress | undefined {
  if (text.startsWith('fifo:')) return {kind: 'fifo', path: text.slice('fifo:'.length)};
  const [, read, write] = /^(-?\d+),(-?\d+)$/.exec(text) ?? [];
  return read === undefined ? undefined : {kind: 'pipe', read: Number(read), write: Number(write)};
}

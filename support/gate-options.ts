/** The words after a gate's name. */

export interface GateOptions {
  readonly flags: ReadonlySet<string>;
  readonly values: Readonly<Record<string, string>>;
}

/** Reads `--flag` and `--value WORD`. Throws for anything else. */
export function gateOptions(
  words: readonly string[],
  known: {readonly flags?: readonly string[]; readonly values?: readonly string[]},
): GateOptions {
  const flags = new Set<string>();
  const values: Record<string, string> = {};
  for (let i = 0; i < words.length; i++) {
    const name = /^--([a-z-]+)$/.exec(words[i] ?? '')?.[1] ?? '';
    const next = words[i + 1];
    if (known.flags?.includes(name)) flags.add(name);
    else if (known.values?.includes(name) && next !== undefined) {
      values[name] = next;
      i++;
    } else {
      const all = [
        ...(known.flags ?? []).map((each) => `--${each}`),
        ...(known.values ?? []).map((each) => `--${each} …`),
      ];
      throw new Error(`${words[i] ?? ''}: the options are ${all.join(', ')}`);
    }
  }
  return {flags, values};
}

/** One line for whoever runs a gate. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

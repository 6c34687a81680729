/** A package repository of the machine's own apt, as printed by `apt-get indextargets`. */
export interface AptTarget {
  readonly origin: string;
  readonly suite: string;
  readonly repository: string;
  /** The file that names it, and which of its entries. */
  readonly file: string;
  readonly entry: number;
}

/** For `--format` of `apt-get indextargets`: one line a target. */
export const TARGET_FORMAT = '$(ORIGIN)|$(SUITE)|$(REPO_URI)|$(SOURCESENTRY)';

/** Reads lines of `TARGET_FORMAT`. */
export function parseTargets(text: string): readonly AptTarget[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([^|]*)\|([^|]*)\|([^|]*)\|(.*):(\d+)$/.exec(line);
    const [origin = '', suite = '', repository = '', file = ''] = match?.slice(1, 5) ?? [];
    return match ? [{origin, suite, repository, file, entry: Number(match[5])}] : [];
  });
}

/** Aliases that Debian's archive always has; the suites they refer to change. */
const DEBIAN_SUITES = ['stable', 'oldstable', 'testing', 'unstable'];

/**
 * The suites to look through for a source package: all that Debian's archive has, as each release has another CPython;
 * of other distributions the one that the machine itself uses.
 */
export function suitesOf(target: AptTarget): readonly string[] {
  if (target.origin !== 'Debian') return [target.suite];
  return DEBIAN_SUITES.includes(target.suite) ? DEBIAN_SUITES : [target.suite, ...DEBIAN_SUITES];
}

/**
 * The trust settings of the machine's own entry, to be copied into ours. `file` is the content of the file that
 * names the target: a list of stanzas (`.sources`) or of lines (`.list`), see sources.list(5).
 */
export function trustOf(
  target: AptTarget,
  file: string,
): {readonly stanza: string} | {readonly options: string} {
  if (target.file.endsWith('.sources')) {
    const stanza =
      file.split(/\n(?:[ \t]*\n)+/).filter((text) => /^[A-Za-z]/m.test(text))[target.entry - 1] ?? '';
    // A value continues in indented lines: a key can be inline.
    const fields = stanza
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .join('\n');
    const kept = fields.split(/\n(?=\S)/).filter((field) => /^(Signed-By|Trusted):/i.test(field));
    return {stanza: kept.join('\n')};
  }
  const line = file.split('\n')[target.entry - 1] ?? '';
  return {options: /^\s*deb\S*\s+\[([^\]]*)\]/.exec(line)?.[1]?.trim() ?? ''};
}

/** The text of a `.sources` file that makes apt look for source packages in these suites. */
export function sourceEntries(
  target: AptTarget,
  suites: readonly string[],
  trust: ReturnType<typeof trustOf>,
): string {
  const trusted =
    'stanza' in trust
      ? trust.stanza
      : [...trust.options.matchAll(/(signed-by|trusted)=(\S+)/gi)]
          .map(([, name = '', value = '']) => {
            return `${name}: ${value.replaceAll(',', ' ')}`;
          })
          .join('\n');
  const lines = [
    'Types: deb-src',
    `URIs: ${target.repository}`,
    `Suites: ${suites.join(' ')}`,
    'Components: main',
    trusted,
  ];
  return lines.filter((line) => line !== '').join('\n') + '\n';
}

/** A source package of CPython. */
export interface SourcePackage {
  /** Debian's version, such as `3.13.15-1`. */
  readonly version: string;
  /** CPython's, such as `3.13.15`. */
  readonly upstream: string;
  /** The pristine archive, such as `python3.13_3.13.15.orig.tar.xz`. */
  readonly archive: string;
  /** The description that Debian's developers sign. */
  readonly description: string;
}

/** Reads what `apt-cache showsrc` prints. Packages without a pristine archive are left out. */
export function parseSourcePackages(text: string): readonly SourcePackage[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const version = /^Version: (?:\d+:)?(\S+)$/m.exec(stanza)?.[1];
    const upstream = /^(\d+\.\d+\.\d+)(?:~?(a|b|rc)\d+)?-/
      .exec(version ?? '')?.[0]
      .slice(0, -1)
      .replace('~', '');
    const archive = /^ [0-9a-f]{64} \d+ (\S+\.orig\.tar\.\w+)$/m.exec(stanza)?.[1];
    const description = /^ [0-9a-f]{64} \d+ (\S+\.dsc)$/m.exec(stanza)?.[1];
    if (version === undefined || upstream === undefined) return [];
    return archive === undefined || description === undefined
      ? []
      : [{version, upstream, archive, description}];
  });
}

/** The sha256 that a `.dsc` file states for one of the files of its package. */
export function checksumIn(description: string, file: string): string | undefined {
  const section = /^Checksums-Sha256:[^\n]*\n((?: [^\n]*\n)*)/m.exec(description)?.[1] ?? '';
  return section
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, , name]) => name === file)?.[0];
}

/** Where python.org keeps the source of a release. */
const ARCHIVE_URL = 'https://www.python.org/ftp/python/{version}/Python-{version}.tar.xz';

/**
 * The sha256 of `Python-<version>.tar.xz`, as published for the release. One of each series: it is what a series
 * stands for, and the only releases that are taken from an address that nobody else vouches for.
 */
const PINNED: Readonly<Record<string, string>> = {
  '3.11.2': '29e4b8f5f1658542a8c13e2dd277358c9c48f2b2f7318652ef1675e402b9d2af',
  '3.13.5': '93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640',
  '3.13.15': '1e66a7945a48390ee4c2a4268a0e4185884059a13c4aab6d148aa208deea4a76',
};

/** The sha256 of the archives that Debian packed anew from these releases (`python3.11_3.11.2.orig.tar.gz`). */
const REPACKED: Readonly<Record<string, string>> = {
  '3.11.2': '2411c74bda5bbcfcddaf4531f66d1adc73f247f529aee981b029513aefdbf849',
};

export interface PinnedRelease {
  readonly version: string;
  readonly url: string;
  readonly sha256: string;
  /** Of a distribution's own archive of the release, if it has one. */
  readonly repacked?: string | undefined;
}

/** The release of this version, if its digest is known. */
export function pinnedRelease(version: string): PinnedRelease | undefined {
  const sha256 = PINNED[version];
  return sha256 === undefined
    ? undefined
    : {version, url: ARCHIVE_URL.replaceAll('{version}', version), sha256, repacked: REPACKED[version]};
}

/** The newest of these versions (`3.13.15`) that belongs to a series (`3.13`) or is the very version asked for. */
export function newestOf(wanted: string, versions: readonly string[]): string | undefined {
  const micro = (version: string): number => Number(version.split('.')[2]);
  return versions
    .filter(
      (version) =>
        version === wanted || (version.startsWith(`${wanted}.`) && /^\d+\.\d+\.\d+$/.test(version)),
    )
    .sort((a, b) => micro(a) - micro(b))
    .at(-1);
}

/** The versions of which the digest is known. */
export function pinnedVersions(): readonly string[] {
  return Object.keys(PINNED);
}

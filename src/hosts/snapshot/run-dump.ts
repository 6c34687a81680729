import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {readFile, stat} from '../../fs/recorded-fs.js';
import {clearFile} from '../../fs/removal.js';
import {runProcess} from '../../exec/process.js';
import {type Result, fail, ok} from '../../model/result.js';
import type {Site} from '../../pipeline/host.js';
import {readHeader} from './dump-format.js';
import {type DumpRequest, dumpRequestText} from './dump-request.js';

/** The executable that makes dumps, and its surroundings. */
export interface Dumper {
  /** The path by which it is called: it lies there, or a link to it does. */
  readonly calledAs: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
}

/** Runs the imports of a request, and returns what the process printed. Fails with SNAPSHOT when they leave what cannot be kept. */
export async function runDump(
  {calledAs, environment, folder}: Dumper,
  request: DumpRequest,
  {context: {signal, cwd}}: Pick<Site, 'context'>,
): Promise<Result<string>> {
  const path = join(folder, 'request.txt');
  await clearFile(request.output.path);
  await writeFile(path, dumpRequestText(request));
  const done = await runProcess({
    file: calledAs,
    args: [],
    cwd,
    environment: {...environment, FLASHFREEZE_SNAPSHOT: path},
    signal,
  });
  if (!done.ok) return done;
  const {exitCode, stdout, stderr} = done.value;
  const said = `${stdout}${stderr}`.trim();
  if (exitCode === 0) return ok(said);
  const reason = stderr.trim().split('\n').at(-1) ?? '';
  return fail(
    'SNAPSHOT',
    `cannot make a snapshot: ${reason === '' ? 'the imports end the process' : reason}`,
    {
      ...(said === reason ? {} : {details: said}),
      hint: 'leave the module out with --exclude, or build without a snapshot (--snapshot=false)',
    },
  );
}

/**
 * A dump in which lasting blocks lie together, as another process has found out: in the file `placement`, which is made unless it is of the
 * same allocations. Fails as `runDump`.
 */
export async function dumpPlaced(
  dumper: Dumper,
  request: Omit<DumpRequest, 'output'> & {readonly placement: string},
  path: string,
  site: Pick<Site, 'context'>,
): Promise<Result<{readonly bytes: Buffer; readonly said: string}>> {
  const {placement, ...unplaced} = request;
  for (let attempt = 0; ; attempt++) {
    const isRecorded = await stat(placement).then(
      () => true,
      () => false,
    );
    if (!isRecorded) {
      const recorded = await runDump(dumper, {...unplaced, output: {kind: 'record', path: placement}}, site);
      if (!recorded.ok) return recorded;
    }
    const done = await runDump(dumper, {...request, output: {kind: 'dump', path}}, site);
    if (!done.ok) return done;
    const bytes = await readFile(path);
    const header = readHeader(bytes);
    if (!header.ok) return header;
    if (header.value.allocationCount === (await stat(placement)).size || attempt > 0) {
      return ok({bytes, said: done.value});
    }
    await clearFile(placement);
  }
}

import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {stat} from '../../fs/recorded-fs.js';
import {clearFile} from '../../fs/removal.js';
import {readSparse} from '../../fs/sparse-file.js';
import {scriptFiles} from '../../cpython/interpreter/scripts.js';
import {runProcess} from '../../exec/process.js';
import {type Result, fail, ok} from '../../model/result.js';
import type {Site} from '../../pipeline/host.js';
import {readHeader} from './dump-format.js';
import type {DumpPlace} from './dump-place.js';
import {type DumpRequest, dumpRequestText} from './dump-request.js';

/** The executable that makes dumps, and its surroundings. */
export interface Dumper {
  /** The path by which it is called: it lies there, or a link to it does. */
  readonly calledAs: string;
  /** The file that is run, if it is not the one of this path. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly place: DumpPlace;
  /** The working directory; by default that of this run. */
  readonly cwd?: string | undefined;
}

/** Runs the imports of a request, and returns what the process printed. Fails with SNAPSHOT when they leave what cannot be kept. */
export async function runDump(
  {calledAs, file, environment, folder, place, cwd: own}: Dumper,
  request: DumpRequest,
  {context: {signal, cwd}}: Pick<Site, 'context'>,
): Promise<Result<string>> {
  const path = join(folder, 'request.txt');
  await clearFile(request.output.path);
  await writeFile(
    path,
    dumpRequestText(
      asSeenFrom(place, request),
      scriptFiles('prepare_dump.py').map(({path}) => place.inside(path)),
    ),
  );
  const command = place.command({
    file: file ?? calledAs,
    args: [],
    environment: {...environment, FLASHFREEZE_SNAPSHOT: place.inside(path)},
  });
  const done = await runProcess({
    ...command,
    cwd: own ?? cwd,
    signal,
    ...(file === undefined ? {} : {argv0: calledAs}),
    ...(request.longestMs === undefined ? {} : {timeoutMs: request.longestMs}),
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

/** The request, with the paths by which the process finds our files. */
function asSeenFrom({inside}: DumpPlace, request: DumpRequest): DumpRequest {
  const {output, placement, locate} = request;
  return {
    ...request,
    output: {...output, path: inside(output.path)},
    ...(placement === undefined ? {} : {placement: inside(placement)}),
    ...(locate === undefined ? {} : {locate: {...locate, script: inside(locate.script)}}),
  };
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
    const bytes = await readSparse(path);
    const header = readHeader(bytes);
    if (!header.ok) return header;
    if (header.value.allocationCount === (await stat(placement)).size || attempt > 0) {
      return ok({bytes, said: done.value});
    }
    await clearFile(placement);
  }
}

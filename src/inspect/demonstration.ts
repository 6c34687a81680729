import {privateCacheDir} from '../cache/private-cache-dir.js';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {ensureFolder} from '../fs/files.js';
import {readValidJson} from '../fs/read-json.js';
import {obtainSource} from '../cpython/source/obtain-source.js';
import {scrubbedEnvironment} from '../exec/environment.js';
import {type Result, fail, ok} from '../model/result.js';
import {type BenchReport, benchReportSchema, benchmark} from './benchmark.js';
import {sourceSubject} from './bench-subjects.js';
import type {BuildOutcome} from '../model/outcomes.js';
import type {HostContext} from '../pipeline/build-options.js';
import {freeze} from '../pipeline/pipeline.js';
import {sourceHost} from '../hosts/source/source-host.js';
import {inPhase} from './phases.js';
import {verifyImages} from './verification.js';

export interface DemoRequest {
  /** The build directory. */
  readonly dir: string;
  /** Which CPython, such as `3.13.15`. */
  readonly python: string;
}

export interface DemoReport {
  readonly outcome: BuildOutcome;
  readonly bench: BenchReport;
}

/** The commands that the demo freezes, in addition to the start-up modules, and measures. */
const PROGRAMS = [
  '-c "import asyncio"',
  '-c "import argparse, json, re, dataclasses, pathlib, subprocess, logging"',
];

/** The measurement of an interpreter, which is kept for as long as the interpreter is the same. */
const measuredSchema = z.object({sha256: z.string(), bench: benchReportSchema});

/**
 * The demo on a fresh machine: downloads a CPython, builds it twice, compares every image with a fresh compile, and
 * measures. It does not repeat verification and measurement for the same interpreter.
 */
export async function runDemo(request: DemoRequest, context: HostContext): Promise<Result<DemoReport>> {
  const {events, signal} = context;
  const cache = await ensureFolder(context.cacheDir);
  if (!cache.ok) return cache;
  const source = await inPhase('obtaining the CPython source', context, () =>
    obtainSource({
      version: request.python,
      cacheDir: privateCacheDir(context.cacheDir),
      environment: scrubbedEnvironment({}, context.userEnvironment),
      signal,
      log: (message) => {
        events.emit({type: 'notice', message});
      },
    }),
  );
  if (!source.ok) return source;
  const buildDir = join(request.dir, `python-${source.value.version}`);
  const host = await sourceHost({
    source: source.value.path,
    buildDir,
    out: undefined,
    configureArguments: [],
    builtinExtensions: false,
    makeArguments: [],
    pie: false,
    debugInfo: false,
    cc: undefined,
  });
  if (!host.ok) return host;
  const selection = {
    ...{startup: true, traces: PROGRAMS},
    ...{modules: [], packages: [], stdlib: false, exclude: []},
    ...{
      frozenFirst: false,
      restsCollector: false,
      exitsFast: false,
      preparesExpressions: true,
      preparesSnippets: true,
    },
  };
  const built = await inPhase('building', context, () => freeze(host.value, selection, context));
  if (!built.ok) return built;
  const outcome = built.value;
  const reportPath = join(buildDir, 'demo-report.json');
  const known = await readValidJson(reportPath, measuredSchema);
  if (known?.sha256 === outcome.sha256) return ok({outcome, bench: known.bench});

  const python = outcome.output ?? '';
  const verified = await inPhase('comparing every image with a fresh compile', context, () =>
    verifyImages({python, source: source.value.path, hashSeeds: ['0', '1', 'random']}, context),
  );
  if (!verified.ok) return verified;
  const [difference] = verified.value.differences;
  if (difference !== undefined) {
    const {module, where, field, detail} = difference;
    return fail(
      'VERIFY',
      `the image of ${module} differs from a fresh compile: ${where}, ${field}: ${detail}`,
    );
  }
  events.emit({
    type: 'notice',
    message: `${verified.value.modules} images equal a fresh compile, on three hash seeds`,
  });
  const bench = await inPhase('measuring', context, () => measureBuild(buildDir, context));
  if (!bench.ok) return bench;
  await writeFile(reportPath, JSON.stringify({sha256: outcome.sha256, bench: bench.value}));
  return ok({outcome, bench: bench.value});
}

async function measureBuild(buildDir: string, context: HostContext): Promise<Result<BenchReport>> {
  const subject = await sourceSubject(buildDir, context);
  if (!subject.ok) return subject;
  return benchmark(
    subject.value,
    {commands: ['-c pass', ...PROGRAMS], runs: 40, instructions: false, conditions: []},
    context,
  );
}

/** The programmatic API as its users have it: the package in node_modules, a strict TypeScript, an installed Python. */
import {execFileSync} from 'node:child_process';
import {cpSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, jest, test} from '@jest/globals';
import {temporaryDirectory} from '../support/temporary-directory.js';
import {findPythons} from '../../support/pythons.js';
import {CACHE, PACKAGE, run} from '../../support/rig.js';

jest.setTimeout(20 * 60_000);
const folder = temporaryDirectory('api');
const installed = join(folder, 'node_modules', 'flashfreeze');
/** The newest Python of this machine. */
const python = (): string => findPythons().at(-1)?.python ?? 'python3';

beforeAll(() => {
  // The packed files and not a link to the checkout, whose types a consumer does not have.
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const packed = execFileSync('npm', pack, {cwd: PACKAGE, encoding: 'utf8', stdio: 'pipe'});
  const [{filename}] = JSON.parse(packed) as [{filename: string}];
  mkdirSync(installed, {recursive: true});
  execFileSync('tar', ['xf', join(folder, filename), '-C', installed, '--strip-components=1']);
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
});

const CONSUMER = `
import {build, overlay, relink, verify} from 'flashfreeze';
import type {AbortSignalLike, BuildOptions, Event, Failure, RelinkOptions, Result, VerifyReport} from 'flashfreeze';

/** Each event of the union has its own fields. */
function describe(event: Event): string {
  switch (event.type) {
    case 'command-started': return event.command;
    case 'phase-started': return event.phase;
    case 'phase-finished': return \`\${event.phase} \${event.ms.toFixed()}\`;
    case 'action-started': return \`\${event.step} \${event.reason}\`;
    case 'action-finished': return event.outcome;
    case 'action-failed': return event.failure.code;
    case 'cache-lookup': return event.found ?? 'nowhere';
    case 'tool-output': return event.text;
    case 'notice': return event.message;
    case 'warning': return event.hint ?? event.message;
    case 'error': return event.failure.message;
    case 'summary': return event.executed.join(' ');
    default: {
      const nothing: never = event;
      return nothing;
    }
  }
}

export const events: string[] = [];

export async function freeze(options: RelinkOptions): Promise<VerifyReport> {
  const listening = {...options, onEvent: (event: Event) => { events.push(\`\${event.type} \${describe(event)}\`); }};
  const built = await relink(listening);
  if (!built.ok) throw new Error(built.failure.message);
  const {output, modules} = built.value;
  if (output === null || modules < 1) throw new Error('nothing was built');
  const verified = await verify({images: output, hashSeed: ['0']});
  if (verified.ok) return verified.value;
  throw new Error(verified.failure.report?.differences.map(({module}) => module).join() ?? verified.failure.code);
}

// What TypeScript has to refuse.
export const wrong = [
  // @ts-expect-error: a place is missing
  () => build({source: '.'}),
  // @ts-expect-error: no such option
  () => overlay({python: 'python3', out: '.', sauce: true}),
  // @ts-expect-error: a list is wanted
  () => relink({python: 'python3', out: '.', trace: '-c pass'}),
  // @ts-expect-error: a failure has no value
  (result: Result<number>) => result.value,
  // @ts-expect-error: codes are known
  (failure: Failure) => failure.code === 'NO_SUCH_CODE',
];
export const optional: BuildOptions = {source: '.', buildDir: 'b', out: undefined, jobs: undefined};
export type Signal = AbortSignalLike;
`;

/** Compiles a file of the directory. Throws what tsc says. */
function compile(file: string, options: Readonly<Record<string, unknown>>): void {
  const strict = {strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true};
  const modules = {module: 'nodenext', moduleResolution: 'nodenext', target: 'es2022', isolatedModules: true};
  const compilerOptions = {...strict, ...modules, skipLibCheck: false, ...options};
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({compilerOptions, files: [file]}));
  const tsc = join(PACKAGE, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', folder], {encoding: 'utf8', stdio: 'pipe'});
  } catch (error) {
    throw new Error((error as {stdout: string}).stdout);
  }
}

/** What a module prints. */
async function printedBy(code: string): Promise<unknown> {
  writeFileSync(join(folder, 'main.mjs'), code);
  const done = await run(process.execPath, [join(folder, 'main.mjs')], {
    cwd: folder,
    environment: {FLASHFREEZE_CACHE_DIR: join(CACHE, 'store'), MAKEFLAGS: undefined},
  });
  if (done.exitCode !== 0 || done.stderr !== '') throw new Error(done.stderr);
  return JSON.parse(done.stdout);
}

describe('a consumer in strict TypeScript', () => {
  beforeAll(() => {
    writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
  });

  test('compiles without the types of Node.js and of the DOM', () => {
    compile('consumer.ts', {lib: ['es2022'], types: []});
  });

  test('compiles with them, and their AbortSignal fits', () => {
    const signal = `
      import {relink} from 'flashfreeze';
      export const run = (signal: AbortSignal) => relink({python: 'python3', out: 'o', signal});
    `;
    writeFileSync(join(folder, 'dom.ts'), signal);
    compile('dom.ts', {noEmit: true, lib: ['es2022', 'dom'], types: []});
    writeFileSync(join(folder, 'node.ts'), `${signal}export const environment = process.env;\n`);
    const typeRoots = [join(PACKAGE, 'node_modules', '@types')];
    compile('node.ts', {noEmit: true, lib: ['es2022'], typeRoots, types: ['node']});
  });

  test('relinks an installed Python, verifies it, and gets every event', async () => {
    const options = {python: python(), out: 'python', buildDir: 'work', trace: ['-c "import json"']};
    const printed = await printedBy(`
      import {events, freeze} from './consumer.js';
      const report = await freeze(${JSON.stringify(options)});
      console.log(JSON.stringify({report, events}));
    `);
    const {report, events} = printed as {report: {modules: number}; events: string[]};
    expect(report).toMatchObject({differences: [], modules: expect.any(Number)});
    expect(report.modules).toBeGreaterThan(20);
    expect(events[0]).toBe('command-started relink');
    expect(events.at(-1)).toMatch(/^summary .*link:python/);
    const frozen = 'import json, _flashfreeze; print(_flashfreeze.is_static(json.loads.__code__))';
    expect(await run(join(folder, 'python'), ['-c', frozen])).toMatchObject({stdout: 'True\n', exitCode: 0});
  });
});

test('runs in the working directory that it is given, with results where they are wanted', async () => {
  const place = join(folder, 'place');
  mkdirSync(place);
  writeFileSync(join(place, 'own_module.py'), 'VALUE = 1\n');
  const options = {
    python: python(),
    cwd: place,
    out: 'overlay',
    buildDir: 'work',
    trace: ['-c "import own_module"'],
  };
  const printed = await printedBy(`
    import {overlay} from 'flashfreeze';
    console.log(JSON.stringify(await overlay(${JSON.stringify(options)})));
  `);
  expect(printed).toMatchObject({ok: true, value: {output: join(place, 'overlay'), stage1: null}});
  const customized = join(place, 'overlay', 'site');
  const asked =
    'import own_module, _flashfreeze; print(_flashfreeze.info()["used"] > 0, own_module.__file__)';
  const done = await run(python(), ['-c', asked], {
    cwd: place,
    environment: {PYTHONPATH: `${customized}:${place}`},
  });
  expect(done.stdout).toBe(`True ${join(place, 'own_module.py')}\n`);
});

test('an abort during a build ends it, and leaves a build directory that works', async () => {
  const options = {python: python(), out: 'aborted', buildDir: 'aborted-work', force: true, jobs: 2};
  const printed = await printedBy(`
    import {relink} from 'flashfreeze';
    const controller = new AbortController();
    const options = ${JSON.stringify(options)};
    const onEvent = ({type, step}) => { if (type === 'action-started' && step === 'cc') controller.abort(); };
    const aborted = await relink({...options, onEvent, signal: controller.signal});
    const again = await relink({...options, force: false});
    console.log(JSON.stringify([aborted, again.ok]));
  `);
  expect(printed).toEqual([{ok: false, failure: {code: 'INTERRUPTED', message: 'relink was aborted'}}, true]);
});

test('two builds at once share a process; one build directory is for one of them', async () => {
  const printed = await printedBy(`
    import {relink} from 'flashfreeze';
    const options = {python: ${JSON.stringify(python())}};
    const one = relink({...options, out: 'one', buildDir: 'both'});
    const two = relink({...options, out: 'two', buildDir: 'both'});
    const three = relink({...options, out: 'three', buildDir: 'alone'});
    const results = await Promise.all([one, two, three]);
    console.log(JSON.stringify(results.map((result) => result.ok ? 'ok' : result.failure.code)));
  `);
  expect(printed).toHaveLength(3);
  expect((printed as string[]).slice(0, 2).sort()).toEqual(['LOCKED', 'ok']);
  expect((printed as string[])[2]).toBe('ok');
});

test('verify fails for an interpreter whose source was edited, and says where', async () => {
  const place = join(folder, 'edited');
  mkdirSync(place);
  writeFileSync(join(place, 'edited_module.py'), 'def value(): return 1\n');
  const options = {
    python: python(),
    cwd: place,
    out: 'python',
    buildDir: 'work',
    trace: ['-c "import edited_module"'],
  };
  const printed = await printedBy(`
    import {writeFileSync} from 'node:fs';
    import {relink, verify} from 'flashfreeze';
    const options = ${JSON.stringify(options)};
    const built = await relink(options);
    writeFileSync('edited/edited_module.py', 'def value(): return 2\\n');
    const verified = await verify({images: 'python', cwd: options.cwd, hashSeed: ['0']});
    console.log(JSON.stringify({built, verified}));
  `);
  expect(printed).toMatchObject({
    built: {ok: true},
    verified: {
      ok: false,
      failure: {
        code: 'VERIFY',
        report: {
          differences: expect.arrayContaining([
            {
              module: 'edited_module',
              where: 'value',
              field: 'co_consts[1]',
              detail: '1 instead of 2',
              seed: '0',
            },
          ]),
        },
      },
    },
  });
});

test('the example runs', async () => {
  cpSync(join(PACKAGE, 'examples', 'programmatic-api'), join(folder, 'example'), {recursive: true});
  const done = await run('/bin/sh', [join(folder, 'example', 'run.sh')], {
    environment: {
      PYTHON: python(),
      BUILD: join(folder, 'example-build'),
      FLASHFREEZE_CACHE_DIR: join(CACHE, 'store'),
    },
  });
  expect(done).toMatchObject({exitCode: 0, stderr: expect.stringMatching(/(^|, )link: \d+/)});
  expect(done.stdout.split('\n')).toEqual([
    expect.stringMatching(/^froze \d+ modules of Python 3\.\d+\.\d+$/),
    'every image equals a fresh compile',
    'frozen: True',
    '',
  ]);
});

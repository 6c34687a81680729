/** What a build directory remembers, in every wrong shape: a run ends as if it were not there. */
import {execFileSync} from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, describe, expect, jest, test} from '@jest/globals';
import {acquireLock} from '../../../../src/engine/lock.js';
import {explain, readHistory} from '../../../../src/engine/records/history.js';
import {openProofs} from '../../../../src/engine/records/proofs.js';
import {actionTexts, explanationText} from '../../../../src/report/explanation.js';
import {holdTime} from '../../../support/fake-time.js';
import {chanceFrom} from '../../../support/random.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';
import {actualOutputs, build, expectedOutputs, makeToy, ofType, type Toy} from '../toys.js';

// Files take their time on a busy machine.
jest.setTimeout(120_000);

let toy: Toy;
beforeEach(async () => {
  toy = await makeToy(temporaryDirectory(), {a: 'A1\n', b: 'B1\n'});
});

/** Does it a minute later: digests of files that changed a moment ago are not kept. */
async function later(act: () => Promise<unknown>): Promise<void> {
  holdTime('Date');
  jest.setSystemTime(Date.now() + 60_000);
  await act();
  jest.useRealTimers();
}

/** Two builds and an edit, of which the build directory keeps all that it can keep. */
async function buildTwice(): Promise<void> {
  await build(toy);
  writeFileSync(join(toy.sourceDir, 'a'), 'A2\n');
  await build(toy);
  await later(() => build(toy, {force: true}));
  expect(STATE.filter((name) => !existsSync(at(name)))).toEqual([]);
}

const STATE = ['journal.jsonl', 'sources.json', 'last-run.json'];
const at = (name: string): string => join(toy.buildDir, name);

/** Puts something else where a file was. */
const SPECIAL: Readonly<Record<string, (path: string) => void>> = {
  'a FIFO': (path) => {
    execFileSync('mkfifo', [path]);
  },
  'a directory': (path) => {
    mkdirSync(path);
  },
  'a link to nothing': (path) => {
    symlinkSync('nowhere', path);
  },
  'a link to a FIFO': (path) => {
    execFileSync('mkfifo', [`${path}.fifo`]);
    symlinkSync(`${path}.fifo`, path);
  },
  'a link to itself': (path) => {
    symlinkSync(path, path);
  },
  'a socket': (path) => {
    execFileSync('python3', [
      '-c',
      'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])',
      path,
    ]);
  },
  'a device': (path) => {
    symlinkSync('/dev/zero', path);
  },
};

/** Each line of a file of JSON with one value in it replaced by another one. */
function* withOtherValues(text: string): Generator<string> {
  const others: unknown[] = [
    null,
    true,
    -1,
    1e308,
    '',
    '\u001b[2J',
    [],
    {},
    [[[]]],
    {__proto__: null, constructor: 1},
  ];
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    for (const path of pathsOf(JSON.parse(line))) {
      for (const other of others) {
        const changed = JSON.parse(line) as unknown;
        yield [
          ...lines.slice(0, index),
          JSON.stringify(replaced(changed, path, other)),
          ...lines.slice(index + 1),
        ].join('\n');
      }
    }
  }
}

function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  // Of a list the first item stands for all.
  const entries = Array.isArray(value) ? Object.entries(value).slice(0, 2) : Object.entries(value);
  return [path, ...entries.flatMap(([name, inner]) => pathsOf(inner, [...path, name]))];
}

function replaced(value: unknown, [first, ...rest]: readonly string[], other: unknown): unknown {
  if (first === undefined) return other;
  (value as Record<string, unknown>)[first] = replaced(
    (value as Record<string, unknown>)[first],
    rest,
    other,
  );
  return value;
}

/** Builds, and explains what is known: nothing of it may throw, and all outputs have to be right. */
async function expectRun(): Promise<void> {
  const history = await readHistory(toy.buildDir);
  if (history !== undefined) {
    for (const id of history.ids()) {
      const explanation = explain(id, history);
      if (explanation !== undefined) explanationText(explanation, history.lastRun);
      history.needsOf(id);
    }
    actionTexts(history.lastRun.done, false);
  }
  const {result, record} = await build(toy);
  expect(result).toMatchObject({ok: true});
  expect(ofType(record, 'action-failed')).toEqual([]);
  expect(actualOutputs(toy)).toEqual(expectedOutputs(toy));
}

describe.each(STATE)('%s', (name) => {
  beforeEach(buildTwice);

  test.each(Object.keys(SPECIAL).filter((kind) => kind !== 'a directory'))('as %s', async (kind) => {
    rmSync(at(name));
    SPECIAL[kind]?.(at(name));
    await expectRun();
    // It is written anew, and then all is as it was.
    writeFileSync(join(toy.sourceDir, 'b'), 'B2\n');
    await later(expectRun);
    expect(lstatSync(at(name)).isFile()).toBe(true);
    expect((await build(toy)).executed).toEqual([]);
  });

  test('cut short anywhere', async () => {
    const content = readFileSync(at(name));
    const random = chanceFrom(name.length);
    for (const length of [
      0,
      1,
      content.length - 1,
      ...Array.from({length: 5}, () => random.below(content.length)),
    ]) {
      writeFileSync(at(name), content.subarray(0, length));
      await expectRun();
    }
  });

  test('with random bytes', async () => {
    const content = readFileSync(at(name));
    const random = chanceFrom(name.length);
    for (let round = 0; round < 10; round++) {
      const changed = Buffer.from(content);
      for (let i = 0; i <= random.below(6); i++) changed[random.below(changed.length)] = random.below(256);
      writeFileSync(at(name), round === 0 ? Buffer.from(changed.map(() => random.below(256))) : changed);
      await expectRun();
    }
  });

  test('with values of other kinds', async () => {
    const variants = [...withOtherValues(readFileSync(at(name), 'utf8'))];
    const random = chanceFrom(name.length);
    expect(variants.length).toBeGreaterThan(50);
    for (let i = 0; i < 40; i++) {
      writeFileSync(at(name), variants[random.below(variants.length)] ?? '');
      await expectRun();
    }
  });

  test.each(['[', '{"a":'])('with values nested deeper than any stack: %s', async (open) => {
    writeFileSync(
      at(name),
      `${readFileSync(at(name), 'utf8').split('\n')[0] ?? ''}\n${open.repeat(200_000)}`,
    );
    await expectRun();
  });

  test('with a prototype for a name', async () => {
    const text = readFileSync(at(name), 'utf8');
    writeFileSync(at(name), text.replaceAll('cc:a', '__proto__').replaceAll('a.o', 'constructor'));
    await expectRun();
  });
});

test('a journal whose accounts explain each other ends an explanation', async () => {
  await buildTwice();
  const text = readFileSync(at('journal.jsonl'), 'utf8');
  const causes = [
    {text: 'x', producer: 'link:program'},
    {text: 'y', producer: 'cc:a'},
  ];
  const lines = text.trimEnd().split('\n');
  const cyclic = lines.slice(1).map((line) => {
    const [id, entry] = JSON.parse(line) as [string, {account: object}];
    return JSON.stringify([id, {...entry, account: {...entry.account, run: '2000', causes}}]);
  });
  writeFileSync(at('journal.jsonl'), [lines[0], ...cyclic, ''].join('\n'));
  const last = JSON.parse(readFileSync(at('last-run.json'), 'utf8')) as object;
  writeFileSync(at('last-run.json'), JSON.stringify({...last, done: []}));
  await expectRun();
});

test('a directory in place of the journal is a failure that names it, for nobody knows what it is', async () => {
  await buildTwice();
  rmSync(at('journal.jsonl'));
  mkdirSync(at('journal.jsonl'));
  await expect(build(toy)).rejects.toThrow(
    `cannot write ${at('journal.jsonl')}: there is a directory in its place`,
  );
});

test('a damaged journal is mentioned once', async () => {
  await buildTwice();
  writeFileSync(at('journal.jsonl'), 'no journal');
  const {record} = await build(toy);
  expect(ofType(record, 'notice').map(({message}) => message)).toEqual([
    `the journal ${at('journal.jsonl')} is damaged or of another version, and is ignored`,
  ]);
  expect(ofType((await build(toy)).record, 'notice')).toEqual([]);
});

describe('the lock', () => {
  const lockAt = (...names: string[]): string => join(toy.buildDir, 'lock', ...names);
  beforeEach(async () => {
    await expectLockable();
  });

  /** It can be taken, keeps others out, and can be taken again once it is released. */
  async function expectLockable(): Promise<void> {
    for (let round = 0; round < 2; round++) {
      const taken = await acquireLock(toy.buildDir);
      if (!taken.ok) throw new Error(taken.failure.message.slice(0, 200));
      expect(await acquireLock(toy.buildDir)).toMatchObject({failure: {code: 'LOCKED'}});
      await taken.value.release();
    }
  }

  function newest(): string {
    const generations = readdirSync(lockAt()).map(Number).filter(Number.isFinite);
    return lockAt(String(Math.max(...generations)));
  }

  test.each(Object.keys(SPECIAL))('whose holder is %s', async (kind) => {
    const file = newest();
    rmSync(file);
    SPECIAL[kind]?.(file);
    await expectLockable();
  });

  test.each(['a file', ...Object.keys(SPECIAL)])('that is %s', async (kind) => {
    rmSync(lockAt(), {recursive: true});
    if (kind === 'a file') writeFileSync(lockAt(), 'lock');
    else SPECIAL[kind]?.(lockAt());
    await expectLockable();
    expect(lstatSync(lockAt()).isDirectory()).toBe(true);
  });

  test.each([
    'no JSON',
    'null',
    '[]',
    '{"pid":"1","start":"","host":"h"}',
    '{"pid":-1,"start":"","host":"h"}',
    '{"pid":0,"start":"","host":"h"}',
    '{"pid":1.5,"start":"","host":"h"}',
    '{"pid":1e300,"start":"","host":"h"}',
    '{"pid":1,"start":[],"host":"h"}',
    '{"pid":1,"start":"","host":7}',
  ])('held by %s', async (holder) => {
    writeFileSync(newest(), holder);
    await expectLockable();
  });

  test('held by what is nested deeper than any stack', async () => {
    writeFileSync(newest(), '['.repeat(200_000));
    await expectLockable();
  });

  test('with names that are no generations', async () => {
    for (const name of ['99999999999999999999', '9007199254740993', '1e5', '-7', '0', 'x', '1 ']) {
      writeFileSync(lockAt(name), '{"pid":1,"start":"","host":"elsewhere"}');
    }
    await expectLockable();
  });

  test('whose holder went away while it was held', async () => {
    const taken = await acquireLock(toy.buildDir);
    const file = newest();
    rmSync(file);
    execFileSync('mkfifo', [file]);
    if (taken.ok) await taken.value.release();
    await expectLockable();
  });
});

describe('proofs', () => {
  beforeEach(() => {
    mkdirSync(toy.buildDir);
  });

  const statements = [{statement: {image: 'x'}}, {statement: {image: 'y'}}];
  const open = (): ReturnType<typeof openProofs> =>
    openProofs(toy.buildDir, {store: undefined, force: false});

  test.each(['no digest', '\u0000'.repeat(100), `${'ab'.repeat(32)}\n`, ...Object.keys(SPECIAL)])(
    'with %j in their place prove nothing',
    async (kind) => {
      const special = SPECIAL[kind];
      if (special === undefined) writeFileSync(at('proofs'), kind);
      else special(at('proofs'));
      expect(await open().unproven(statements)).toEqual(statements);
      await open().keep(statements.map(({statement}) => statement));
      // A directory is not replaced; then nothing is kept.
      const kept = kind === 'a directory' ? statements : [];
      expect(await open().unproven(statements)).toEqual(kept);
      expect(existsSync(at('proofs'))).toBe(true);
    },
  );
});

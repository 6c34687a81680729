/** Choices among few that imports make at random: they are kept in every build, and random values of more possibilities in none. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, jest, test} from '@jest/globals';
import {STATE, type SnapshotRig, snapshotRig} from '../support/snapshot-rig.js';
import {temporaryDirectory} from '../support/temporary-directory.js';

jest.setTimeout(60 * 60_000);
const folder = temporaryDirectory('snapshot-choices');
let rig: SnapshotRig;

beforeAll(async () => {
  rig = await snapshotRig(folder);
});

/** So many that not one of them could be equal, or differ, by chance. */
const MANY = Array.from({length: 20}, (_, i) => i);

const FEW: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    MANY.map((i) => [`agent_${i}`, 'import random; headers = {"agent": "of/" + random.choice("abcdefg")}']),
  ),
  ...Object.fromEntries(
    MANY.map((i) => [`weighted_${i}`, 'import random; kept = random.choices("abc", (1, 2, 1)), []']),
  ),
  ...Object.fromEntries(MANY.map((i) => [`coin_${i}`, 'import random; coin = random.random() < 0.5, []'])),
  own_generator:
    'import random; generator = random.Random(); order = list("abcdefgh"); generator.shuffle(order)',
  dice: 'import random; one, other, large = random.randint(1, 6), random.randint(1, 6), random.randint(1, 999)',
  has_dice: 'from dice import one as same',
  seeds: `import random
random.seed(5)
numbers = [random.random(), random.choice("abcdefg"), random.sample(range(50), 9)]
random.seed()
fixed = random.Random()
fixed.setstate(random.Random(6).getstate())
numbers.append(fixed.randint(0, 9999))
`,
};

const MUCH: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    MANY.map((i) => [
      `late_${i}`,
      'import random; late = [[random.choice("abcdefg") for i in range(10)][-1]]',
    ]),
  ),
  letters: 'import random, string; kept = ["".join(random.choice(string.ascii_letters) for i in range(16))]',
  number: 'import random; kept = [str(random.randint(0, 2**32))]',
  thousands: 'import random; kept = [random.randrange(70_000)]',
  order: 'import random; kept = random.sample(range(100), 100)',
  drawn: 'import random; kept = [random.random(), random.random()]',
};

test('one of few is kept in every build, and is that of the build; more than a few are in none', async () => {
  for (const [name, text] of Object.entries({...FEW, ...MUCH}))
    writeFileSync(join(rig.packages, `${name}.py`), text);
  const words = Object.keys({...FEW, ...MUCH}).flatMap((name) => ['--module', name]);
  const {summary, stderr} = await rig.build('--startup', ...words);
  if (!summary.ok) throw new Error(stderr);
  const left = /(\d+) modules are left out/.exec(stderr)?.[1];
  const named = Object.keys(MUCH).filter((name) => stderr.includes(`  ${name}: `));
  expect([left, Object.keys(FEW).filter((name) => stderr.includes(`  ${name}: `))]).toEqual([
    String(Object.keys(MUCH).length),
    [],
  ]);
  expect(named.length).toBeGreaterThanOrEqual(20); // the message names no more
  const kept = `import own_generator, seeds, sys
print(sorted((name, *module.__dict__.get("headers", {}).values(), *module.__dict__.get("kept", [])) for name, module in sys.modules.items() if name.startswith(("agent_", "weighted_"))))
print(own_generator.order, seeds.numbers)
${STATE}`;
  const starts = await Promise.all([1, 2, 3].map(() => rig.stateOf(rig.out, ['-c', kept])));
  expect(starts[0]).toMatch(/\nrestored$/);
  expect(new Set(starts).size).toBe(1);
  const seeded = ['-c', 'import seeds; print(seeds.numbers)'];
  expect(await rig.stateOf(rig.out, seeded)).toBe(await rig.stateOf(rig.unmodified, seeded));
});

test('an attribute that is a number of `random` is drawn anew, however small it is', async () => {
  const use = 'import dice, has_dice; assert dice.one == has_dice.same; print(dice.one, dice.other)';
  const rows = await Promise.all(MANY.map(async () => (await rig.stateOf(rig.out, ['-c', use])).split(' ')));
  for (const i of [0, 1]) expect(new Set(rows.map((row) => row[i])).size).toBeGreaterThan(1);
  expect(rows.some(([one, other]) => one !== other)).toBe(true);
  const next = 'import own_generator; print(own_generator.generator.random())';
  const drawn = await Promise.all(MANY.map(() => rig.stateOf(rig.out, ['-c', next])));
  expect(new Set(drawn).size).toBe(MANY.length);
});

import {describe, expect, test} from '@jest/globals';
import * as fc from 'fast-check';
import {BuildCycle, type BuildEnd} from '../../../src/watch/build-cycle.js';
import {FakeClock, turn} from './fake-clock.js';

/** A cycle whose builds take as long as the test wants. */
function rig() {
  const clock = new FakeClock();
  const builds: {
    readonly at: number;
    readonly changes: readonly string[];
    end: (how?: BuildEnd) => Promise<void>;
  }[] = [];
  const cycle = new BuildCycle(clock, (changes) => {
    return new Promise((done) => {
      builds.push({
        at: clock.now(),
        changes: [...changes],
        end: async (how = 'done') => {
          done(how);
          await turn();
        },
      });
    });
  });
  const build = (n: number) => {
    const found = builds[n];
    if (found === undefined) throw new Error(`there is no build ${n}`);
    return found;
  };
  return {clock, cycle, builds, build};
}

/** A cycle that has built once and waits. */
async function idle() {
  const all = rig();
  void all.cycle.start();
  await all.build(0).end();
  return all;
}

describe('a cycle of builds', () => {
  test('builds at once when it starts', () => {
    const {cycle, builds} = rig();
    void cycle.start();
    expect(builds).toMatchObject([{at: 0, changes: []}]);
  });

  test('does nothing while nothing changes', async () => {
    const {clock, builds} = await idle();
    await clock.advance(3_600_000);
    expect(builds).toHaveLength(1);
  });

  test('a save is built soon', async () => {
    const {clock, cycle, builds} = await idle();
    cycle.changed('/a.py', 'written');
    await clock.advance(30);
    expect(builds).toHaveLength(2);
    expect(builds[1]).toMatchObject({changes: ['/a.py']});
  });

  test('a removal waits for the file to come back', async () => {
    const {clock, cycle, builds} = await idle();
    cycle.changed('/a.py', 'removed');
    await clock.advance(80);
    cycle.changed('/a.py', 'written');
    await clock.advance(119);
    expect(builds).toHaveLength(1);
    await clock.advance(1);
    expect(builds).toHaveLength(2);
  });

  test('a burst is one build, when it is over', async () => {
    const {clock, cycle, builds} = await idle();
    for (let i = 0; i < 2000; i += 1) {
      cycle.changed(`/${i}.py`, i % 3 === 0 ? 'removed' : 'written');
      if (i % 100 === 99) await clock.advance(i < 100 ? 10 : 200);
    }
    expect(builds).toHaveLength(1);
    await clock.advance(250);
    expect(builds).toHaveLength(2);
    expect(builds[1]?.changes).toHaveLength(2000);
  });

  test('continuous changes are built periodically', async () => {
    const {clock, cycle, builds, build} = await idle();
    for (let i = 0; i < 600; i += 1) {
      cycle.changed('/log.py', 'written');
      await clock.advance(20);
      if (builds.length > 1) await build(builds.length - 1).end();
    }
    // Twelve seconds, and a patience of five.
    expect(builds.map(({at}) => at)).toEqual([0, 5000, 10_000]);
  });

  test('changes during a build cause one build after it', async () => {
    const {clock, cycle, builds, build} = await idle();
    cycle.changed('/a.py', 'written');
    await clock.advance(100);
    cycle.changed('/b.py', 'written');
    cycle.changed('/a.py', 'written');
    await clock.advance(10_000);
    expect(builds).toHaveLength(2);
    await build(1).end();
    await clock.advance(30);
    expect(builds).toHaveLength(3);
    expect(build(2).changes).toEqual(['/b.py', '/a.py']);
    await build(2).end();
    await clock.advance(10_000);
    expect(builds).toHaveLength(3);
  });

  test('a blocked build is tried again, with its changes', async () => {
    const {clock, cycle, builds, build} = await idle();
    cycle.changed('/a.py', 'written');
    await clock.advance(100);
    await build(1).end('blocked');
    await clock.advance(999);
    expect(builds).toHaveLength(2);
    await clock.advance(1);
    expect(build(2).changes).toEqual(['/a.py']);
    cycle.changed('/b.py', 'written');
    await build(2).end('blocked');
    await clock.advance(1000);
    expect([...build(3).changes].sort()).toEqual(['/a.py', '/b.py']);
  });

  test.each([
    ['idle', () => Promise.resolve()],
    [
      'settling',
      ({cycle}: Awaited<ReturnType<typeof idle>>) => {
        cycle.changed('/a.py', 'written');
        return Promise.resolve();
      },
    ],
  ])('stopped while %s, it builds no more', async (_state, bring) => {
    const all = await idle();
    await bring(all);
    await all.cycle.stop();
    all.cycle.changed('/b.py', 'written');
    void all.cycle.start();
    await all.clock.advance(60_000);
    expect(all.builds).toHaveLength(1);
  });

  test.each(['done', 'blocked'] as const)(
    'stopped while building, it waits for the end (%s)',
    async (how) => {
      const {clock, cycle, builds, build} = rig();
      void cycle.start();
      cycle.changed('/a.py', 'written');
      let stopped = false;
      const stopping = cycle.stop().then(() => {
        stopped = true;
      });
      await clock.advance(1000);
      expect(stopped).toBe(false);
      await build(0).end(how);
      await stopping;
      await clock.advance(60_000);
      expect(builds).toHaveLength(1);
    },
  );

  test('whatever happens: builds do not overlap, and one begins after each change', async () => {
    const step = fc.oneof(
      fc.record({do: fc.constant('change' as const), file: fc.nat(12), removed: fc.boolean()}),
      fc.record({do: fc.constant('wait' as const), ms: fc.nat(400)}),
      fc.record({do: fc.constant('end' as const), blocked: fc.boolean()}),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, {maxLength: 60}), async (steps) => {
        const {clock, cycle, builds, build} = rig();
        let ended = 0;
        const unseen = new Set<string>();
        /** Takes note of builds that began; one that is blocked has seen nothing. */
        const look = (): void => {
          expect(builds.length - ended).toBeLessThanOrEqual(1);
        };
        void cycle.start();
        for (const each of steps) {
          if (each.do === 'change') {
            cycle.changed(`/${each.file}`, each.removed ? 'removed' : 'written');
            unseen.add(`/${each.file}`);
          }
          const before = builds.length;
          if (each.do === 'wait') await clock.advance(each.ms);
          if (each.do === 'end' && ended < builds.length) {
            const current = build(ended);
            ended += 1;
            await current.end(each.blocked ? 'blocked' : 'done');
            if (each.blocked) for (const path of current.changes) unseen.add(path);
          }
          look();
          if (builds.length > before) for (const path of build(before).changes) unseen.delete(path);
        }
        // From now on all goes well, and comes to rest.
        for (let i = 0; i < 10; i += 1) {
          const before = builds.length;
          if (ended < builds.length) {
            ended += 1;
            await build(ended - 1).end();
          }
          await clock.advance(6000);
          look();
          if (builds.length > before) for (const path of build(before).changes) unseen.delete(path);
        }
        expect([...unseen]).toEqual([]);
        expect(ended).toBe(builds.length);
      }),
      {numRuns: 200},
    );
  });
});

// `npm test`: sets the checkout up and runs the tests: the quick tier (test/tiers.mjs), with `--all` everything, with `--rest`
// what `--all` has besides the quick tier. Other arguments are jest's: `npm test -- test/unit/engine`.
import {fileURLToPath} from 'node:url';
import {isNodeNewEnough} from './node-version.mjs';

process.exitCode = await test(process.argv.slice(2));

async function test(argv) {
  if (!isNodeNewEnough()) return 1;
  const {prepare} = await import('./prepare.mjs');
  if (!(await prepare())) return 1;
  const {runParts} = await import('./testing/run-parts.mjs');
  return runParts(await partsFor(argv));
}

async function partsFor(argv) {
  const [tier] = argv;
  const isTier = argv.length === 0 || (argv.length === 1 && ['--all', '--rest'].includes(tier));
  if (!isTier) return [{name: '', args: argv}];
  const {PARTS} = await import('../test/tiers.mjs');
  const {assignFiles, listTestFiles} = await import('./testing/select.mjs');
  const parts = assignFiles(PARTS, listTestFiles(fileURLToPath(new URL('..', import.meta.url))));
  return parts
    .filter((part) => tier === '--all' || part.tier === (tier === '--rest' ? 'full' : 'quick'))
    .map(({name, files, parallel, environment}) => ({
      name,
      environment,
      // On two cores jest itself would run one file at a time, to leave a core to others.
      args: [parallel ? '--maxWorkers=100%' : '--runInBand', '--runTestsByPath', ...files],
    }));
}

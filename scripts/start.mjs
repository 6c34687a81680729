// `npm start`: sets the checkout up and shows the whole program at work, through its own command line.
import {isNodeNewEnough} from './node-version.mjs';

process.exitCode = await start(process.argv.slice(2));

async function start(argv) {
  if (!isNodeNewEnough()) return 1;
  const {prepare} = await import('./prepare.mjs');
  if (!(await prepare())) return 1;
  const {main} = await import('../dist/cli/main.js');
  return main(['demo', ...argv]);
}

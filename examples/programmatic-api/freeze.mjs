// Relinks an installed Python with what a program imports, and verifies the result.
// @ts-check
import {relink, verify} from 'flashfreeze';

const [python = 'python3', out = 'build/python'] = process.argv.slice(2);

// Ctrl-C ends the run in good order: the result is then a failure with the code INTERRUPTED.
const interruption = new AbortController();
process.once('SIGINT', () => interruption.abort());

/** What ran, by step. */
const counts = new Map();
const built = await relink({
  python,
  out,
  trace: ['-c "import json, argparse"'],
  signal: interruption.signal,
  onEvent(event) {
    if (event.type === 'action-finished' && event.outcome === 'executed') {
      counts.set(event.step, (counts.get(event.step) ?? 0) + 1);
    }
    if (event.type === 'warning') console.error(`warning: ${event.message}`);
  },
});
if (!built.ok) {
  const {code, message, hint} = built.failure;
  console.error(`${code}: ${message}${hint === undefined ? '' : `\n${hint}`}`);
  process.exit(1);
}
console.error([...counts].map(([step, count]) => `${step}: ${count}`).join(', '));
console.log(`froze ${built.value.modules} modules of Python ${built.value.python}`);

const verified = await verify({images: out, signal: interruption.signal});
console.log(verified.ok ? 'every image equals a fresh compile' : verified.failure.message);
process.exitCode = verified.ok ? 0 : 1;

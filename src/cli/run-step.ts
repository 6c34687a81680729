/** A program that runs one step, for build systems whose actions have it as an input. Its bundle is one file. */
import {runStep} from './step.js';

const {argv, stdout, stderr, env: environment} = process;
process.exitCode = await runStep(argv.slice(2), {stdout, stderr, environment, cwd: process.cwd()});

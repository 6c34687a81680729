import {execFileSync} from 'node:child_process';
import {chmodSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

/** Paths at which there is everything but what one expects, in a new directory. */
export function makeOddPlaces(folder: string): Readonly<Record<string, string>> {
  mkdirSync(folder, {recursive: true});
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('empty'), '');
  writeFileSync(at('text'), 'not what you think\n');
  writeFileSync(at('binary'), Buffer.from([0, 255, 254, 10, 0x7f, 69, 76, 70]));
  writeFileSync(at('null.json'), 'null');
  writeFileSync(at('list.json'), '[1, {"a": []}]');
  writeFileSync(at('deep.json'), '['.repeat(100_000));
  writeFileSync(at('closed.json'), '['.repeat(20_000) + ']'.repeat(20_000));
  writeFileSync(at('unreadable'), 'x', {mode: 0o000});
  writeFileSync(at('fails'), '#!/bin/sh\necho oops >&2\nexit 1\n', {mode: 0o755});
  writeFileSync(at('babbles'), '#!/bin/sh\necho 3.13\necho "{}"\n', {mode: 0o755});
  writeFileSync(at('headless'), 'no interpreter line\n', {mode: 0o755});
  writeFileSync(at('astray'), '#!/no/such/interpreter\n', {mode: 0o755});
  writeFileSync(at('dies'), '#!/bin/sh\nkill -SEGV $$\n', {mode: 0o755});
  mkdirSync(at('directory'));
  mkdirSync(at('closed'));
  chmodSync(at('closed'), 0o000);
  mkdirSync(at('read-only'), {mode: 0o555});
  execFileSync('mkfifo', [at('fifo')]);
  execFileSync('python3', [
    '-c',
    'import os, socket, sys; os.chdir(sys.argv[1]); socket.socket(socket.AF_UNIX).bind("socket")',
    folder,
  ]);
  symlinkSync('loop', at('loop'));
  symlinkSync('nowhere', at('dangling'));
  symlinkSync('directory', at('link'));
  const names = [
    ...[
      'empty',
      'text',
      'binary',
      'null.json',
      'list.json',
      'deep.json',
      'closed.json',
      'unreadable',
      'fails',
    ],
    ...[
      'babbles',
      'headless',
      'astray',
      'dies',
      'directory',
      'closed',
      'read-only',
      'fifo',
      'socket',
      'loop',
    ],
    ...['dangling', 'link'],
  ];
  return {
    ...Object.fromEntries(names.map((name) => [name, at(name)])),
    missing: at('missing/below'),
    belowFile: at('text/below'),
    belowFifo: at('fifo/below'),
    belowClosed: at('closed/below'),
    tooLong: at('n'.repeat(300)),
    farTooLong: `${folder}${'/n'.repeat(3000)}`,
    null: '/dev/null',
    full: '/dev/full',
    endless: '/dev/zero',
    descriptor: '/dev/stdin',
    memory: '/proc/self/mem',
    inProc: '/proc/nowhere/python',
    root: '/',
    spaced: at(' a b '),
    quoted: at(`q'"\`$(x)`),
    lines: at('a\nb'),
    colours: at('\u001b[31mred\u202e'),
    colon: at('a:b'),
  };
}

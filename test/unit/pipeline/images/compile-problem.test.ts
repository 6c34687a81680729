import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {digestOf} from '../../../../src/model/digest.js';
import {
  encodeProblem,
  readProblem,
  unknownEncoding,
} from '../../../../src/pipeline/images/compile-problem.js';
import {temporaryDirectory} from '../../../support/temporary-directory.js';

const folder = temporaryDirectory('problem');

function artifact(name: string, content: string) {
  const path = join(folder, name);
  writeFileSync(path, content);
  return {name, path, digest: digestOf(content)};
}

test('a problem comes back on a machine on which the source lies elsewhere, and its file names no path', async () => {
  const problem = {
    type: 'SyntaxError',
    text: '  File "/here/a.py", line 1\n    x = (\nSyntaxError: in /here/a.py',
  };
  const files = encodeProblem(problem, '/here/a.py');
  expect(files.unit + files.imports).not.toContain('/here');
  const read = await readProblem(
    artifact('unit', files.unit),
    artifact('imports', files.imports),
    '/there/b.py',
  );
  expect(read).toEqual({type: 'SyntaxError', text: problem.text.replaceAll('/here/a.py', '/there/b.py')});
});

test('two problems of different sources have the same imports, and no module has those', () => {
  const [one, two] = ['x', 'y'].map((text) => encodeProblem({type: 'ValueError', text}, '/a.py'));
  expect(one?.imports).toBe(two?.imports);
  expect(one?.unit).not.toBe(two?.unit);
  expect(one?.imports).toMatch(/^[^\w.\n]/);
});

test('a code unit is not read for it', async () => {
  const unit = {name: 'unit', path: join(folder, 'not', 'there'), digest: digestOf('')};
  expect(await readProblem(unit, artifact('imports', 'os\n'), '/a.py')).toBeUndefined();
});

test('a problem that is not in place yet, as in a dry run, is one without a text', async () => {
  const {imports} = encodeProblem({type: 'x', text: ''}, '/a.py');
  const unit = {name: 'unit', path: join(folder, 'not', 'there'), digest: digestOf('')};
  expect(await readProblem(unit, artifact('imports', imports), '/a.py')).toEqual({
    type: 'SyntaxError',
    text: '',
  });
});

test.each([
  ['SyntaxError', '  File "a.py"\nSyntaxError: unknown encoding: loud', 'loud'],
  ['SyntaxError', '  File "a.py"\nSyntaxError: invalid syntax', undefined],
  ['OSError', '  File "a.py"\nOSError: unknown encoding: loud', undefined],
  [
    'SyntaxError',
    '  File "a.py", line 2\n    unknown encoding: x\n    ^\nSyntaxError: invalid syntax',
    undefined,
  ],
])('%s %j declares an unknown encoding: %s', (type, text, encoding) => {
  expect(unknownEncoding({type, text})).toBe(encoding);
});

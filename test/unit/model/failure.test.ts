import {expect, test} from '@jest/globals';
import {failure, withoutPasswords} from '../../../src/model/failure.js';

test.each([
  ['unexpected argument http://user:secret@host/x', 'unexpected argument http://***@host/x'],
  ['cannot read /a/http:/user:secret@host/x', 'cannot read /a/http:/***@host/x'],
  ['https://token@host', 'https://***@host'],
  ['grpcs://user:se@cr@et@host, and ftp://u:p@h', 'grpcs://***@host, and ftp://***@h'],
  ['Given: "http://user:se/cr?e#t@host"', 'Given: "http://***@host"'],
  ['https://cache.example.org/a@b', 'https://cache.example.org/a@b'],
  ['a path /home/user@domain/x and me@example.org', 'a path /home/user@domain/x and me@example.org'],
  ['numpy@1.2: C:\\x', 'numpy@1.2: C:\\x'],
])('of %s, the message is %s', (given, kept) => {
  expect(withoutPasswords(given)).toBe(kept);
});

test('a failure repeats no password, in none of its parts', () => {
  const text = 'see http://user:secret@host';
  const made = failure('IO', text, {hint: text, details: `one\n${text}\ntwo`});
  expect(JSON.stringify(made)).not.toContain('secret');
  expect(made.details).toBe('one\nsee http://***@host\ntwo');
});

test('long texts take no long time', () => {
  const text = `${'http://'.repeat(20_000)}${'a:'.repeat(20_000)}@`;
  expect(withoutPasswords(text).length).toBeLessThanOrEqual(text.length + 3);
});

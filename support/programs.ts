/**
 * Real programs: what the system's packages install, and a few of our own (`programs/`). How they are frozen, and what
 * they are asked to do.
 */
import {execFileSync} from 'node:child_process';
import {mkdirSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

/** Where a program runs: all paths are below `folder`, which is made anew for each interpreter, at the same place. */
export interface Workplace {
  readonly folder: string;
  /** A server on the loopback interface that answers each request with what was asked. */
  readonly server: string;
}

export interface Program {
  readonly name: string;
  /** The file that has to be there, else there is nothing to try. */
  readonly needs: string;
  /** What follows the interpreter on the command line when imports are recorded. */
  readonly traces: (work: Workplace) => readonly (readonly string[])[];
  /** Makes files in the folder. */
  readonly prepare?: (work: Workplace) => void;
  /** What follows the interpreter on the command line. */
  readonly invocations: (work: Workplace) => readonly (readonly string[])[];
}

const OWN = join(import.meta.dirname, 'programs');

const hg = (...words: string[]) => ['/usr/bin/hg', ...words];
const http = (...words: string[]) => ['/usr/bin/http', '--ignore-stdin', ...words];
const ytdlp = (...words: string[]) => [
  '/usr/bin/yt-dlp',
  '--ignore-config',
  '--no-cache-dir',
  '--user-agent',
  'tests',
  ...words,
];
const black = (...words: string[]) => ['/usr/bin/black', ...words];
const pip = (...words: string[]) => ['/usr/bin/pip', '--disable-pip-version-check', '--no-color', ...words];
const flask = join(OWN, 'flask_app.py');
const names = join(OWN, 'namespace', 'main.py');
const data = join(OWN, 'data', 'main.py');

const UGLY = "import os, sys\nx = {  'a':1, 'b' : [ 1,2 ] }\ndef f( a ): return  a\n";

const PLAYBOOK = `- hosts: all
  gather_facts: false
  tasks:
    - debug: msg="{{ [1, 2] | sum }} on {{ inventory_hostname }}"
    - copy: {content: "text", dest: "{{ playbook_dir }}/written"}
    - command: cat {{ playbook_dir }}/written
      register: read
      changed_when: false
    - assert: {that: read.stdout == "text"}
`;

export const PROGRAMS: readonly Program[] = [
  {
    name: 'mercurial',
    needs: '/usr/bin/hg',
    prepare({folder}) {
      // With the interpreter that Debian has it run by: what is compared comes later.
      const run = (...words: string[]): void => {
        execFileSync('/usr/bin/hg', words, {cwd: folder, env: {HOME: folder, HGPLAIN: '1'}, stdio: 'ignore'});
      };
      run('init', 'repo');
      writeFileSync(join(folder, 'repo', 'a.txt'), 'one\ntwo\n');
      run('-R', 'repo', 'commit', '-A', '-m', 'first', '-u', 'me', '-d', '0 0');
      writeFileSync(join(folder, 'repo', 'a.txt'), 'one\n2\n');
      // A diff tells the day, which may end meanwhile.
      utimesSync(join(folder, 'repo', 'a.txt'), 86_400, 86_400);
      writeFileSync(join(folder, 'repo', 'b.txt'), 'new\n');
    },
    traces: () => [hg('version'), hg('-R', 'repo', 'log', '-p'), hg('-R', 'repo', 'status')],
    invocations: () => [
      hg('version'),
      hg('help', 'commit'),
      hg('-R', 'repo', 'status'),
      hg('-R', 'repo', 'diff'),
      hg('-R', 'repo', 'log', '-p', '-v'),
      hg('-R', 'repo', 'commit', '-A', '-m', 'second', '-u', 'me', '-d', '60 0'),
      hg('-R', 'repo', 'annotate', 'repo/a.txt'),
      hg('clone', 'repo', 'copy'),
      hg('-R', 'copy', 'log', '-T', 'json', '-r', 'all()'),
      hg('-R', 'repo', 'export', 'nothing'),
      hg('no-such-command'),
    ],
  },
  {
    name: 'httpie',
    needs: '/usr/bin/http',
    prepare({folder}) {
      writeFileSync(join(folder, 'body.json'), '{"from": "a file"}');
    },
    traces: ({server}) => [http('GET', `${server}/x`), http('--version')],
    invocations: ({server}) => [
      http('--version'),
      http('GET', `${server}/x`, 'a==1', 'X-Header:value'),
      http('--verbose', 'POST', `${server}/y`, 'name=value', 'number:=3'),
      http('--form', 'POST', `${server}/form`, 'field=value'),
      http('--offline', '--print=HB', 'PUT', 'http://example.invalid/z', 'a=b'),
      http('--pretty=all', '--style=monokai', `${server}/colours`),
      http('--json', 'POST', `${server}/file`, '@body.json'),
      http('--download', '--output=out.json', `${server}/download`),
      http('--check-status', `${server}/status/404`),
      http('http://127.0.0.1:1/nothing-listens'),
      http('--no-such-option'),
    ],
  },
  {
    name: 'yt-dlp',
    needs: '/usr/bin/yt-dlp',
    traces: ({server}) => [ytdlp('-J', `${server}/video.mp4`)],
    invocations: ({server}) => [
      ytdlp('--version'),
      ytdlp('--simulate', `${server}/video.mp4`),
      ytdlp('--print', '%(title)s %(ext)s', `${server}/video.mp4`),
      ytdlp('-J', `${server}/video.mp4`),
      ytdlp('-F', `${server}/video.mp4`),
      ytdlp('-o', 'out.%(ext)s', '--no-progress', `${server}/video.mp4`),
      ytdlp('--list-extractors'),
      ytdlp(`${server}/status/404`),
      ytdlp('--no-such-option'),
      ytdlp('--default-search', 'error', 'no url'),
      ytdlp(),
    ],
  },
  {
    name: 'black',
    needs: '/usr/bin/black',
    prepare({folder}) {
      writeFileSync(join(folder, 'ugly.py'), UGLY);
      writeFileSync(join(folder, 'broken.py'), 'def (:\n');
      writeFileSync(join(folder, 'fine.py'), 'x = 1\n');
      mkdirSync(join(folder, 'tree', 'inner'), {recursive: true});
      for (const name of ['a.py', 'inner/b.py', 'c.pyi']) writeFileSync(join(folder, 'tree', name), UGLY);
    },
    traces: () => [black('--diff', 'ugly.py'), black('--check', 'tree')],
    invocations: () => [
      black('--version'),
      black('--check', 'ugly.py'),
      black('--diff', '-q', 'ugly.py'),
      black('--code', UGLY),
      black('fine.py'),
      black('broken.py'),
      black('--line-length', '20', '--code', 'function(argument_one, argument_two)'),
      black('--check', '--verbose', 'tree/a.py'),
      black('ugly.py'),
      black('tree/inner'),
      black('nothing.py'),
    ],
  },
  {
    name: 'ansible',
    needs: '/usr/bin/ansible',
    prepare({folder}) {
      writeFileSync(
        join(folder, 'hosts.ini'),
        '[group]\nlocalhost ansible_connection=local\n[group:vars]\nx=1\n',
      );
      writeFileSync(join(folder, 'play.yml'), PLAYBOOK);
    },
    traces: () => [
      ['/usr/bin/ansible', 'localhost', '-m', 'ping'],
      ['/usr/bin/ansible-playbook', '-i', 'hosts.ini', 'play.yml'],
      ['/usr/bin/ansible-inventory', '-i', 'hosts.ini', '--list'],
    ],
    invocations: () => [
      ['/usr/bin/ansible', '--version'],
      ['/usr/bin/ansible', '-i', 'hosts.ini', 'all', '--list-hosts'],
      ['/usr/bin/ansible', '-i', 'hosts.ini', 'all', '-m', 'ping'],
      ['/usr/bin/ansible', '-i', 'hosts.ini', 'all', '-m', 'debug', '-a', 'msg={{ x }}'],
      ['/usr/bin/ansible-inventory', '-i', 'hosts.ini', '--list'],
      ['/usr/bin/ansible-inventory', '-i', 'hosts.ini', '--graph'],
      ['/usr/bin/ansible-playbook', '-i', 'hosts.ini', '--syntax-check', 'play.yml'],
      ['/usr/bin/ansible-playbook', '-i', 'hosts.ini', 'play.yml'],
      ['/usr/bin/ansible-playbook', '-i', 'hosts.ini', 'nothing.yml'],
      ['/usr/bin/ansible-doc', '-t', 'module', 'ping'],
      ['/usr/bin/ansible-config', 'dump', '--only-changed'],
    ],
  },
  {
    name: 'pip',
    needs: '/usr/bin/pip',
    prepare({folder}) {
      mkdirSync(join(folder, 'project'), {recursive: true});
      writeFileSync(join(folder, 'requirements.txt'), 'no-such-package==1\n');
    },
    traces: () => [pip('list'), pip('--version')],
    invocations: () => [
      pip('--version'),
      pip('help'),
      pip('list', '--format=json'),
      pip('show', 'pip'),
      pip('freeze'),
      pip('check'),
      pip('inspect', '--local'),
      pip('config', 'list'),
      pip('hash', 'requirements.txt'),
      pip('install', '--no-index', '--target', 'there', '-r', 'requirements.txt'),
      pip('no-such-command'),
    ],
  },
  {
    name: 'flask',
    needs: '/usr/lib/python3/dist-packages/flask/__init__.py',
    traces: () => [[flask, '/', '/data', '/fails']],
    invocations: () => [
      [flask],
      [flask, '/', '/?name=me'],
      [flask, '/data'],
      [flask, '/fails'],
      [flask, '/forbidden', '/nothing'],
      ['-m', 'flask', '--version'],
      ['-m', 'flask', '--app', flask, 'routes'],
      ['-m', 'flask', '--app', flask, 'hello'],
      ['-m', 'flask', '--app', flask, 'no-such-command'],
      ['-m', 'flask', '--app', 'nothing', 'routes'],
    ],
  },
  {
    name: 'namespace',
    needs: names,
    traces: () => [[names]],
    invocations: () => [[names], [names, 'text'], [names, 'xml', 'lines'], [names, 'nothing']],
  },
  {
    name: 'data',
    needs: data,
    traces: () => [[data]],
    invocations: () => [[data], [data, 'hello.txt'], [data, 'mail/dear.txt'], [data, 'nothing.txt']],
  },
];

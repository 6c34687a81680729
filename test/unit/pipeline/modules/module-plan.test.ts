import {expect, test} from '@jest/globals';
import type {ModuleRecord} from '../../../../src/cpython/interpreter/modules/modules.js';
import type {Target} from '../../../../src/cpython/interpreter/target.js';
import {parseVersion} from '../../../../src/cpython/interpreter/version.js';
import {type PlannedFor, leaveOut, planFreeze} from '../../../../src/pipeline/modules/module-plan.js';

const source = (name: string, origin: string, isPackage = false): ModuleRecord => ({
  ...{name, origin, isPackage},
  kind: 'source',
  loader: 'SourceFileLoader',
});
const WANTED = [
  source('json', '/lib/python/json/__init__.py', true),
  source('json.decoder', '/lib/python/json/decoder.py'),
  {...source('os', '/lib/python/os.py'), kind: 'frozen'} as const,
  source('app', '/venv/site-packages/app.py'),
  source('renamed', '/lib/python/other.py'),
  source('json', '/elsewhere/json.py'),
];

function planOf(version: string, more: Partial<PlannedFor> = {}) {
  const target = {stdlib: '/lib/python', version: parseVersion(version)} as Target;
  return planFreeze({target, frozenModules: [], getpath: undefined, ...more}, WANTED, {
    frozenFirst: false,
    restsCollector: false,
    exitsFast: false,
    modules: ['app'],
  });
}

test('modules that lie in the root directory are below it', () => {
  const target = {stdlib: '/lib/python'} as Target;
  const wanted = [
    source('app', '/app.py'),
    source('pk', '/pk/__init__.py', true),
    source('pk.m', '/pk/m.py'),
  ];
  const selection = {frozenFirst: false, restsCollector: false, exitsFast: false, modules: []};
  const plan = planFreeze({target, frozenModules: [], getpath: undefined}, wanted, selection);
  expect(plan.roots).toEqual([{path: '/'}]);
  expect(plan.sources.map(({root, key}) => [root, key])).toEqual([
    [0, 'app'],
    [0, 'pk'],
    [0, 'pk/m'],
  ]);
});

test('what is imported is source with an image, and extension modules, in the order of imports', () => {
  const target = {stdlib: '/lib/python'} as Target;
  const extension = {...source('app._fast', '/venv/app/_fast.so'), kind: 'extension'} as const;
  const wanted = [source('json', '/lib/python/json/__init__.py', true), extension, ...WANTED.slice(1)];
  const selection = {frozenFirst: false, restsCollector: false, exitsFast: false, modules: []};
  const hello = {name: '__hello__', origin: '__hello__', source: {path: '/lib/python/hello.py', name: ''}};
  const plan = planFreeze({target, frozenModules: [hello], getpath: undefined}, wanted, selection);
  expect(plan.imports).toEqual(['json', 'app._fast', 'json.decoder', 'app']);
  expect(plan.modules.map(({module}) => module)).not.toContain('app._fast');
  expect(leaveOut(plan, new Set(['app'])).imports).toEqual(['json', 'app._fast', 'json.decoder']);
});

test('an overlay includes modules on disk whose path matches their name, and none that CPython freezes', () => {
  const {modules, sources, frozenRows, roots} = planOf('3.13.0');
  expect(modules.map(({module, sourceName}) => [module, sourceName])).toEqual([
    ['json', 'Lib/json/__init__.py'],
    ['json.decoder', 'Lib/json/decoder.py'],
    ['app', 'path/app.py'],
  ]);
  expect(sources.map(({key, root, isPackage}) => [key, root, isPackage])).toEqual([
    ['json', 0, true],
    ['json/decoder', 0, false],
    ['app', 1, false],
  ]);
  expect(frozenRows).toEqual([]);
  expect(roots).toEqual(['stdlib', {path: '/venv/site-packages'}]);
});

test('of the modules that CPython freezes, the rows of the toolchain; shared code is frozen once', () => {
  const posixpath = {path: '/lib/python/posixpath.py', name: 'Lib/posixpath.py'};
  const {modules, frozenRows} = planOf('3.13.0', {
    frozenModules: [
      {name: 'posixpath', origin: 'posixpath', source: posixpath},
      {name: 'os.path', origin: 'posixpath', source: posixpath},
    ],
    getpath: {
      source: {path: '/src/Modules/getpath.py', name: 'source/Modules/getpath.py'},
      header: '/b/getpath.h',
    },
  });
  expect(frozenRows).toEqual([
    {name: 'posixpath', module: 'posixpath'},
    {name: 'os.path', module: 'posixpath'},
  ]);
  expect(modules.slice(0, 2)).toMatchObject([
    {module: 'getpath', filename: '<frozen getpath>', isCPythonFrozen: true},
    {module: 'posixpath', filename: '<frozen posixpath>', isCPythonFrozen: true},
  ]);
  expect(modules.map(({module}) => module)).toEqual(['getpath', 'posixpath', 'json', 'json.decoder', 'app']);
});

test('a build needs the modules that CPython freezes itself and those that were named, and no others', () => {
  const {modules} = planOf('3.13.0', {
    frozenModules: [{name: 'os', origin: 'os', source: {path: '/lib/python/os.py', name: 'Lib/os.py'}}],
  });
  expect(modules.map(({module, isRequired}) => [module, isRequired])).toEqual([
    ['os', true],
    ['json', false],
    ['json.decoder', false],
    ['app', true],
  ]);
});

test('what is left out keeps no image and no entry in the index, and is known', () => {
  const plan = planOf('3.13.0');
  const left = leaveOut(plan, new Set(['json']));
  expect(left.modules.map(({module}) => module)).toEqual(['json.decoder', 'app']);
  expect(left.sources.map(({module}) => module)).toEqual(['json.decoder', 'app']);
  expect(left.leftOut.map(({source}) => source)).toEqual(['/lib/python/json/__init__.py']);
  expect(left.roots).toEqual(plan.roots);
  expect(leaveOut(plan, new Set())).toEqual(plan);
});

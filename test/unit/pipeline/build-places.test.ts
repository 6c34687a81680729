import {expect, test} from '@jest/globals';
import {placesOf, sourcePlacesOf} from '../../../src/pipeline/build-places.js';
import {defaultBuildDir} from '../../../src/pipeline/default-build-dir.js';

test('a build directory of the source host has all that others have, and CPython', () => {
  const places = sourcePlacesOf('/build');
  expect(places).toMatchObject({...placesOf('/build')});
  expect(places).toMatchObject({stage1: '/build/cpython/python', stage2: '/build/cpython/python-frozen'});
});

test('each host, Python and output has a build directory of its own in the cache, always the same', () => {
  const request = {python: '/usr/bin/python3', out: '/out/python'};
  const directories = [
    defaultBuildDir('relink', request, '/cache'),
    defaultBuildDir('overlay', request, '/cache'),
    defaultBuildDir('relink', {...request, python: '/opt/bin/python3'}, '/cache'),
    defaultBuildDir('relink', {...request, out: '/elsewhere/python'}, '/cache'),
  ];
  expect(new Set(directories).size).toBe(4);
  expect(directories[0]).toMatch(/^\/cache\/builds\/python-[0-9a-f]{12}$/);
  expect(defaultBuildDir('relink', {...request}, '/cache')).toBe(directories[0]);
});

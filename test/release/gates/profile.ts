/** node test/release/run.mjs profile [--task ARGS] [--fast] [--source DIR] [--folder DIR] [--jobs 2] */
import {join} from 'node:path';
import {flashfreeze} from '../../e2e/rig.js';
import {say} from '../../conformance/options.js';
import {release, verify, withSite} from '../rig.js';

export function gate(words: readonly string[]): Promise<boolean> {
  return withSite(words, ['task'], async (site) => {
    const {folder, source, values, context} = site;
    const task = values['task'];
    const more = task === undefined ? [] : [`--make-arg=PROFILE_TASK=${task}`];
    const profile = join(folder, 'profile.tar.xz');
    const manifest = await release(site, 'recorded', source, [...more, '--record-profile', profile]);
    const again = await verify(site, manifest, source);
    say(`${again.stdout}${again.stderr}`);
    const twice = await flashfreeze([
      ...[
        'verify',
        '--twice',
        '--source',
        source,
        '--profile',
        profile,
        '--build-dir',
        join(folder, 'twice'),
      ],
      ...['--jobs', String(context.jobs.width), ...site.words, ...more],
    ]);
    say(`${twice.stdout}${twice.stderr}`);
    return again.exitCode === 0 && twice.exitCode === 0;
  });
}

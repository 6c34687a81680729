import {writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {parseWellKnownStrings, type WellKnownStrings} from '../../codegen/objects/well-known.js';
import {generateProbe} from '../../codegen/probe/probe-source.js';
import {readRegularText} from '../../fs/regular-file.js';
import {ok} from '../../model/result.js';
import {loadLayout} from '../../pipeline/compile/load-layout.js';
import type {StepModule} from './step-module.js';

/** `step probe`: the C that a target's compiler says with how objects look. Fails with PYTHON_VERSION. */
export const options: StepModule['options'] = {
  series: {type: 'string'},
  // pycore_global_strings.h, where the version has it
  strings: {type: 'string'},
  c: {type: 'string'},
  'position-independent': {type: 'boolean'},
};

export const run: StepModule['run'] = async ({text, optional, flag}, {cwd}) => {
  const layout = await loadLayout(text('series'));
  if (!layout.ok) return layout;
  const wellKnown = await readWellKnown(optional('strings'), cwd);
  await writeFile(
    resolve(cwd, text('c')),
    generateProbe(layout.value, wellKnown, flag('position-independent')),
  );
  return ok();
};

/** The interpreter's own strings, by the header that names them; none without it. */
export async function readWellKnown(header: string | undefined, cwd: string): Promise<WellKnownStrings> {
  return header === undefined
    ? new Map()
    : parseWellKnownStrings(await readRegularText(resolve(cwd, header)));
}

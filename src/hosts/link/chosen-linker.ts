import {findTool} from '../../exec/tools.js';
import {runProcess} from '../../exec/process.js';
import type {ToolIdentity} from '../../model/action.js';
import {digestOf} from '../../model/digest.js';
import {fail, ok, type Result} from '../../model/result.js';
import type {Site} from '../../pipeline/host.js';

/** The linkers that are faster than the usual one, the fastest first. */
const FAST = ['mold', 'lld'] as const;

/** How a linker is asked for. */
export interface ChosenLinker {
  /** A word for the compiler, which calls the linker; empty for the compiler's own. */
  readonly flag: string;
  readonly tools: readonly ToolIdentity[];
}

const OWN: ChosenLinker = {flag: '', tools: []};

/**
 * The linker of this run, by the user's choice: the compiler's own without one, and where `auto` finds none that is faster.
 * @param compiler shell words
 * Fails with LINK when the compiler finds no linker of that name.
 */
export async function chooseLinker(
  compiler: string,
  {environment, context: {linker, signal}}: Site,
): Promise<Result<ChosenLinker>> {
  if (linker === undefined) return ok(OWN);
  for (const name of linker === 'auto' ? FAST : [linker]) {
    const asked = await runProcess({
      ...{file: 'sh', args: ['-c', `${compiler} -print-prog-name=ld.${name}`], cwd: '/'},
      ...{environment, signal},
    });
    if (!asked.ok) return asked;
    const path = await findTool(asked.value.stdout.trim(), environment['PATH']);
    if (path === undefined) continue;
    const said = await runProcess({file: path, args: ['--version'], cwd: '/', environment, signal});
    if (!said.ok) return said;
    return ok({flag: `-fuse-ld=${name}`, tools: [{name: 'linker', digest: digestOf(said.value.stdout)}]});
  }
  if (linker === 'auto') return ok(OWN);
  return fail('LINK', `the compiler finds no linker ld.${linker}`, {
    hint: 'install it, or leave --linker out: the usual linker does the same',
  });
}

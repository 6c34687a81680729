import type {PythonVersion} from '../../cpython/interpreter/version.js';
import {fail, ok, type Result} from '../../model/result.js';

/** The CPython versions whose start and end `runtime/snapshot` was compared with. */
export const SNAPSHOT_SERIES: readonly string[] = ['3.10', '3.11', '3.12', '3.13'];

/** Fails with PYTHON_VERSION for a version whose memory is not known. */
export function checkSnapshotSeries({series, text}: PythonVersion): Result<void> {
  if (SNAPSHOT_SERIES.includes(series)) return ok();
  return fail('PYTHON_VERSION', `snapshots support CPython ${SNAPSHOT_SERIES.join(', ')}, not ${text}`);
}

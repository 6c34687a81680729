import type {RunSettings} from '../../pipeline/open-context.js';
import {LINKERS} from '../../model/linker-choice.js';
import type {ProcessContext} from '../process-context.js';
import type {OptionValues} from './option-table.js';

/** The options that apply to the run as a whole. */
export function runSettingsOf(
  options: OptionValues,
  {environment, cwd}: Pick<ProcessContext, 'environment' | 'cwd'>,
): RunSettings {
  return {
    cwd,
    environment,
    cacheDir: options['cache-dir'],
    trustCache: options['trust-cache'],
    sharePrivate: options['share-private'],
    cacheMaxSize: options['cache-max-size'],
    cacheMaxAge: options['cache-max-age'],
    remoteCache: options['remote-cache'],
    remoteKey: options['remote-key'],
    remoteUpload: options['remote-upload'],
    remoteCa: options['remote-ca'],
    remoteCertificate: options['remote-certificate'],
    remoteCertificateKey: options['remote-certificate-key'],
    jobs: options.jobs,
    force: options.force,
    dryRun: options['dry-run'],
    verify: options.verify,
    linker: LINKERS.find((each) => each === options.linker),
  };
}

import {startWatching, type Watching} from '../support/watching.js';
import {commandOf, type Site} from './site.js';

/** Watches a site with the command line that builds it. */
export function watchSite(site: Site): Promise<Watching> {
  return startWatching(commandOf(site));
}

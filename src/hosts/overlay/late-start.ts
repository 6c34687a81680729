import type {EventSink} from '../../model/events.js';
import {choosesMore, type SelectionSettings} from '../../pipeline/modules/selection-settings.js';

/** Warns when an overlay is to hold only modules that are imported before it can be loaded. */
export function warnAboutLateStart(settings: SelectionSettings, events: EventSink): void {
  if (choosesMore(settings)) return;
  events.emit({
    type: 'warning',
    message: 'an overlay cannot serve most start-up modules, which are imported before it is loaded',
    hint: 'freeze what your program imports: --trace, --package, --stdlib',
    isLasting: true,
  });
}

import {styleText} from 'node:util';

/** The looks that reporters use. */
export type Look = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Gives text a look, or leaves it alone. */
export type Style = (look: Look, text: string) => string;

export const plainStyle: Style = (_look, text) => text;

// `styleFor` decides, so that the result is the same with every version of Node.
export const colourStyle: Style = (look, text) => styleText(look, text, {validateStream: false});

/**
 * The style for a stream. FORCE_COLOR decides (`0` or `false` is no), then NO_COLOR (no-color.org: any value but the
 * empty one), then whether it is a terminal that can show colours.
 */
export function styleFor(
  isTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): Style {
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined) return forced === '0' || forced === 'false' ? plainStyle : colourStyle;
  if ((environment['NO_COLOR'] ?? '') !== '') return plainStyle;
  return isTerminal && environment['TERM'] !== 'dumb' ? colourStyle : plainStyle;
}

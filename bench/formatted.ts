import {format, resolveConfig} from 'prettier';

/** Text as this checkout has it in a file of that name. */
export async function formatted(text: string, file: string): Promise<string> {
  return format(text, {...(await resolveConfig(file)), filepath: file});
}

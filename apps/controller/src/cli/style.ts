import { styleText } from 'node:util';
import type { CliIo } from './cli-io.ts';

/** What a piece of text means to its reader. */
export type Tone = 'good' | 'warn' | 'bad' | 'faint' | 'strong';

const FORMATS = { good: 'green', warn: 'yellow', bad: 'red', faint: 'gray', strong: 'bold' } as const;

/** Colours text on a terminal whose owner has not set `NO_COLOR`; elsewhere leaves it alone. */
export type Style = (tone: Tone, text: string) => string;

export const plainStyle: Style = (_tone, text) => text;

export function styleFor({ isTerminal, env }: Pick<CliIo, 'isTerminal' | 'env'>): Style {
  if (!isTerminal || env['NO_COLOR'] || env['TERM'] === 'dumb') return plainStyle;
  return (tone, text) => styleText(FORMATS[tone], text, { validateStream: false });
}

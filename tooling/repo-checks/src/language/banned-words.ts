/** A word or phrase that the sources and documents avoid, because it hides who does what. */
export interface BannedWord {
  readonly word: string;
  /** Global and case-insensitive. */
  readonly pattern: RegExp;
}

/** Name the subject and say what it does. Every form of a verb counts, because the sentence is the problem. */
export const BANNED_WORDS: readonly BannedWord[] = [
  { word: 'nobody', pattern: /\bnobody\b/gi },
  { word: 'somebody', pattern: /\bsomebody\b/gi },
  { word: 'whoever, whosever', pattern: /\bwho(?:s)?ever\b/gi },
  { word: 'told', pattern: /\btold\b/gi },
  { word: 'tells of', pattern: /\btells? of\b/gi },
  { word: 'what ... came to', pattern: /\bwhat\b[^.\n]{0,60}\bcame to\b/gi },
  {
    word: 'look (as a noun)',
    pattern: /\b(?:a|the|live|last|next|first|second|fresh|each|every|another|one) looks?\b/gi,
  },
  { word: 'stands', pattern: /\bstands\b/gi },
  { word: 'anew', pattern: /\banew\b/gi },
  { word: 'for ever', pattern: /\bfor ever\b/gi },
  { word: 'takes back', pattern: /\b(?:takes?|taken|taking|took) [^.\n]{0,20}?\bback\b/gi },
  { word: 'vouches', pattern: /\bvouch(?:e[sd]|ing)?\b/gi },
  { word: 'is no X', pattern: /(?<!\bthere )\b(?:is|are) no (?!longer\b|more\b|later\b)\w+/gi },
  { word: 'mends', pattern: /\bmend(?:s|ed|ing)?\b/gi },
  { word: 'under way', pattern: /\bunder way\b/gi },
  { word: 'let go', pattern: /\blet(?:s|ting)? (?:\w+ )?go\b/gi },
  { word: 'but for', pattern: /\bbut for\b/gi },
];

/** A place with a banned word. */
export interface Finding {
  /** From 1. */
  readonly line: number;
  readonly word: string;
  /** The whole line, trimmed. */
  readonly text: string;
}

/** Every line of a text that has a banned word. */
export function bannedWordsIn(text: string): readonly Finding[] {
  return text.split('\n').flatMap((line, index) =>
    BANNED_WORDS.filter(({ pattern }) => line.search(pattern) >= 0).map(({ word }) => ({
      line: index + 1,
      word,
      text: line.trim(),
    })),
  );
}

export function parse(source: string): unknown[]
export function args(parts: unknown[]): Record<string, string>
export function compile(words: Record<string, Record<string, string>>, used: Set<string>): { modules: Record<string, string>; types: string }

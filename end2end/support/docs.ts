// The pages of the docs. Kept in step with their table by a Rust test (src/tests/routes.rs).
import { readFileSync } from 'node:fs';

export const DOCS = JSON.parse(readFileSync(new URL('docs.json', import.meta.url), 'utf8')) as string[];

// Fails when the widget has become too heavy for the pages it is put on.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT = 40_000;
const file = readFileSync(new URL('dist/widget.js', import.meta.url));
const size = gzipSync(file, { level: 9 }).length;
console.log(`widget.js: ${file.length} bytes, ${size} gzipped (limit ${LIMIT})`);
if (size > LIMIT) process.exit(1);

/** What apps/ids.js has written down. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {string} folder
 * @returns {Record<string, { executed: number, twice: number, connects: number }>} by the client kind, the part of an id
 *   before its first dot; `connects`: TCP connections the requests came over
 */
export function readIds(folder) {
  const kinds = {};
  for (const file of readdirSync(folder)) {
    for (const line of readFileSync(join(folder, file), 'latin1').split('\n')) {
      if (line === '') continue;
      const [id, port] = line.split(' ');
      kinds[kindOf(id)] ??= { ids: new Map(), ports: new Set() };
      const { ids, ports } = kinds[kindOf(id)];
      ids.set(id, (ids.get(id) ?? 0) + 1);
      ports.add(port);
    }
  }
  const count = ({ ids, ports }) => {
    const twice = [...ids.values()].filter((times) => times > 1).length;
    return { executed: ids.size, twice, connects: ports.size };
  };
  return Object.fromEntries(Object.entries(kinds).map(([kind, one]) => [kind, count(one)]));
}

const kindOf = (id) => id.slice(0, id.indexOf('.'));

/** What a map itself has by a name: an agent may call a tool, a session or a status "constructor". */

export const own = <T>(map: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(map, name) ? map[name] : undefined;

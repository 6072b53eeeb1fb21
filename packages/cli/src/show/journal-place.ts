/** Where a session's journal lies, for people with `jq` or `redis-cli`; null where the store does not say. Pure. */
export function journalPlace(location: string, sessionId: string): string | null {
  if (location.startsWith('file:')) {
    const folder = `${location.slice('file:'.length)}/sessions`
    // File names are lower case; the store marks ids that are not.
    const mark = sessionId === sessionId.toLowerCase() ? '' : '~*'
    return `${folder}/${sessionId.toLowerCase()}${mark}.jsonl`
  }
  return /^(rediss?(\+sentinel)?|unix):/.test(location) ? `lastgood:{${sessionId}}:journal` : null
}

/**
 * The embedded default store: no dependency, no server, files that `tail` and `jq` can read.
 *
 *     const store = fileStore({ dir: '/var/lib/my-agent' })
 */
export { type FileStoreOptions, type TornTailWarning, fileStore } from './file-store.ts'
export { stateDir } from './state-dir.ts'
export { makeFolder, openFile, syncFolder } from './folder.ts'

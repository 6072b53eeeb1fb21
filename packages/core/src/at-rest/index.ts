/**
 * Sessions at rest: encrypted, compressed, or both, in any store.
 *
 *     const store = compressed(encrypted(fileStore(), { current: { id: '2026-11', key: process.env.JOURNAL_KEY } }))
 *
 * `docs/at-rest.md` says what this protects, what it does not, and how to rotate keys.
 */
export { type CompressionOptions, compressed } from './compressed.ts'
export { type EncryptionKey, type EncryptionOptions, encrypted } from './encrypted.ts'

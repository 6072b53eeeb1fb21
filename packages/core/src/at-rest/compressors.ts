/** The codecs that this Node has. The same input must give the same output, so levels are fixed. */
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import type { SealedEntry } from '../store/sealed.ts'
import { dictionary1 } from './dictionary.ts'

export type Compression = Exclude<SealedEntry['codec'], 'aes-256-gcm'>

export interface Compressor {
  compress(bytes: Buffer): Promise<Buffer>
  /** Rejects for anything that `compress` cannot have made, and for more than `largestBytes`. */
  expand(data: Buffer): Promise<Buffer>
}

/** No real entry comes near this; it keeps a forged one from filling the memory. */
export const largestBytes = 256 * 1024 * 1024

/** The longest entry that is not kept apart. Up to this size another thread costs more than it saves. */
const inPlaceBytes = 64 * 1024

type Coder = (bytes: Buffer, options: object) => Buffer
type SlowCoder = (bytes: Buffer, options: object, done: (error: Error | null, result: Buffer) => void) => void

/** Node 22.15, 23.8 and newer have zstd; the type declarations of older ones do not. */
const { zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } = zlib as {
  zstdCompress?: SlowCoder
  zstdCompressSync?: Coder
  zstdDecompress?: SlowCoder
  zstdDecompressSync?: Coder
}

function coder(inPlace: Coder, elsewhere: SlowCoder, options: object): (bytes: Buffer) => Promise<Buffer> {
  const slow = promisify<Buffer, object, Buffer>(elsewhere)
  return async (bytes) => (bytes.length <= inPlaceBytes ? inPlace(bytes, options) : slow(bytes, options))
}

function deflate(dictionary?: Buffer): Compressor {
  // A higher level takes up to a fifth more time to save a fiftieth of the space.
  const options = { level: 4, dictionary }
  return {
    compress: coder(zlib.deflateRawSync, zlib.deflateRaw, options),
    expand: coder(zlib.inflateRawSync, zlib.inflateRaw, { dictionary, ...bounded }),
  }
}

/** Each chunk is a way to the other thread and back: with larger ones a large entry takes half the time. */
const bounded = { maxOutputLength: largestBytes, chunkSize: 64 * 1024 }

export const compressors: Readonly<Record<Compression, Compressor | undefined>> = {
  deflate: deflate(),
  'deflate-1': deflate(dictionary1),
  zstd:
    zstdCompress && zstdCompressSync && zstdDecompress && zstdDecompressSync
      ? {
          compress: coder(zstdCompressSync, zstdCompress, {}),
          expand: coder(zstdDecompressSync, zstdDecompress, bounded),
        }
      : undefined,
}

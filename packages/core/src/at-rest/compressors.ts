/** What this Node can compress with. The same bytes in give the same bytes out, so levels are fixed. */
import * as zlib from 'node:zlib'
import { promisify } from 'node:util'

export interface Compressor {
  compress(bytes: Buffer): Promise<Buffer>
  /** Rejects for anything that `compress` does not make, and for more than `largestBytes`. */
  expand(data: Buffer): Promise<Buffer>
}

/** No entry comes near: it is what keeps a forged one from filling the memory. */
export const largestBytes = 256 * 1024 * 1024

type Coder = (bytes: Buffer, options?: object) => Promise<Buffer>
type Callback = (error: Error | null, result: Buffer) => void

/** Node 22.15 and 23.8 have it; the declarations of older ones do not. */
const { zstdCompress, zstdDecompress } = zlib as {
  zstdCompress?: (bytes: Buffer, options: object, done: Callback) => void
  zstdDecompress?: (bytes: Buffer, options: object, done: Callback) => void
}

const bounded = { maxOutputLength: largestBytes }

function compressor(compress: Coder, expand: Coder, options: object): Compressor {
  return { compress: (bytes) => compress(bytes, options), expand: (data) => expand(data, bounded) }
}

export const compressors: Readonly<{ deflate: Compressor; zstd: Compressor | undefined }> = {
  deflate: compressor(promisify(zlib.deflateRaw) as Coder, promisify(zlib.inflateRaw) as Coder, { level: 6 }),
  zstd:
    zstdCompress &&
    zstdDecompress &&
    compressor(promisify(zstdCompress) as Coder, promisify(zstdDecompress) as Coder, {}),
}

/** SHA-256, as 64 hex digits. */
import { hash } from 'node:crypto'
import { z } from 'zod'
import { lazily } from './lazily.ts'

export const sha256 = (content: string | Buffer): string => hash('sha256', content)

const pattern = /^[0-9a-f]{64}$/
export const isSha256 = (value: unknown): boolean => typeof value === 'string' && pattern.test(value)
export const sha256Schema = lazily(() => z.string().regex(pattern))

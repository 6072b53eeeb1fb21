/**
 * The machine's state in a head, encrypted: a session continues from it, so it must not be possible to forge it without
 * a key. The rest of a head stays in the clear, for lists.
 *
 * 1. The state is bound to its session and to the head's sequence.
 * 2. A state that does not open fails no list and no session: it gets a version of no machine, so the journal is folded
 *    instead.
 */
import { fromBase64 } from '../base64.ts'
import type { Head } from '../store/head.ts'
import type { Cipher } from './cipher.ts'

const version = 'aes-256-gcm'
const place = (seq: number) => ['head', seq]

export function withSealedState(head: Head, cipher: Cipher): Head {
  const data = cipher.encrypt(Buffer.from(JSON.stringify(head.machine)), place(head.seq)).toString('base64')
  return { ...head, machine: { version, value: cipher.keyId, context: { data } } }
}

export const isSealedState = ({ machine }: Head): boolean => machine.version === version

/** `cipherWith`: the cipher of the key with this id, if it is known. */
export function withOpenState(head: Head, cipherWith: (keyId: string) => Cipher | undefined): Head {
  const { value, context } = head.machine
  const sealed = isSealedState(head) && typeof context['data'] === 'string' ? fromBase64(context['data']) : undefined
  const plain = sealed && cipherWith(value)?.decrypt(sealed, place(head.seq))
  return { ...head, machine: plain ? (JSON.parse(plain.toString()) as Head['machine']) : ofNoMachine }
}

const ofNoMachine: Head['machine'] = { version: 'unproven', value: 'idle', context: {} }

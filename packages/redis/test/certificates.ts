// Certificates for a test, made by the openssl of this machine: a server's, and the authority that signed it.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Certificates {
  /** Paths of PEM files. */
  authority: string
  certificate: string
  key: string
  remove(): Promise<void>
}

/** For a server at 127.0.0.1. Rejects where there is no openssl. */
export async function makeCertificates(): Promise<Certificates> {
  const dir = await mkdtemp(join(tmpdir(), 'lastgood-certificates-'))
  const file = (name: string): string => join(dir, name)
  const openssl = (...args: string[]) => run('openssl', args, { cwd: dir })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  try {
    await writeFile(file('names'), 'subjectAltName=IP:127.0.0.1\n')
    await openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-days',
      '2',
      '-subj',
      '/CN=test CA',
    )
    await openssl('req', ...newKey, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=test server')
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names']
    await openssl('x509', '-req', '-in', 'server.csr', ...signed, '-out', 'server.pem')
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
  return {
    authority: file('ca.pem'),
    certificate: file('server.pem'),
    key: file('server.key'),
    remove: () => rm(dir, { recursive: true, force: true }),
  }
}

/** The version of lastgood that writes; recorded with each session. Held equal to the package's by a test. */
export const writerVersion = '0.1.0'

/** The version of lastgood that writes, recorded with each session. A test keeps it equal to the package's. */
export const writerVersion = '0.1.0'
